// Every word that the page says: one row for each, one column for each language. `{name}` is filled in.

const LANGUAGES = ["en", "es", "pt"];

const WORDS = {
  title: ["Gallery", "Galería", "Galeria"],
  skip: ["Skip to the images", "Ir a las imágenes", "Ir para as imagens"],
  images: ["Images", "Imágenes", "Imagens"],
  more: ["Show more", "Mostrar más", "Mostrar mais"],
  loading: ["Loading…", "Cargando…", "Carregando…"],
  retry: ["Try again", "Reintentar", "Tentar de novo"],
  search: ["Search by the beginning of the name", "Buscar por el comienzo del nombre", "Buscar pelo começo do nome"],
  searchHint: ["Name begins with…", "El nombre empieza por…", "O nome começa com…"],
  filters: ["Search and filters", "Búsqueda y filtros", "Busca e filtros"],
  view: ["Outcome", "Resultado", "Resultado"],
  viewAll: ["All", "Todas", "Todas"],
  viewDone: ["Processed", "Procesadas", "Processadas"],
  viewProblems: ["Problems", "Problemas", "Problemas"],
  format: ["Format", "Formato", "Formato"],
  anyFormat: ["All formats", "Todo formato", "Todo formato"],
  month: ["Month", "Mes", "Mês"],
  anyMonth: ["All months", "Todo mes", "Todo mês"],
  size: ["Size", "Tamaño", "Tamanho"],
  anySize: ["All sizes", "Todo tamaño", "Todo tamanho"],
  sizeBelow: ["Below {size}", "Menos de {size}", "Menos de {size}"],
  sizeAbove: ["Above {size}", "Más de {size}", "Mais de {size}"],
  sort: ["Order", "Orden", "Ordem"],
  sort_newest: ["Newest first", "Más recientes", "Mais recentes"],
  sort_oldest: ["Oldest first", "Más antiguas", "Mais antigas"],
  sort_name: ["By name", "Por nombre", "Por nome"],
  sort_largest: ["Largest first", "Más grandes", "Maiores"],
  sort_saved: ["Most saved", "Mayor ahorro", "Maior economia"],
  sortedHere: [
    "In order among the {count} that are loaded.",
    "En orden entre las {count} que están cargadas.",
    "Em ordem entre as {count} que estão carregadas.",
  ],
  clear: ["Clear search and filters", "Quitar búsqueda y filtros", "Limpar busca e filtros"],
  found: ["{count} images are shown", "Se muestran {count} imágenes", "{count} imagens são mostradas"],
  arrived: ["{count} new", "{count} nuevas", "{count} novas"],
  oneArrived: ["1 new", "1 nueva", "1 nova"],

  oneImage: ["1 image", "1 imagen", "1 imagem"],
  manyImages: ["{count} images", "{count} imágenes", "{count} imagens"],
  saved: ["{percent} saved", "{percent} menos", "{percent} a menos"],
  variants: ["{count} variants of {bytes} besides", "además {count} variantes de {bytes}", "além de {count} variantes de {bytes}"],
  perMonth: ["{money} saved a month", "{money} de ahorro al mes", "{money} poupados por mês"],
  priceNote: [
    "What the saved bytes would cost, at {price} for a gigabyte and month",
    "Lo que costarían los bytes ahorrados, a {price} por gigabyte y mes",
    "O que custariam os bytes poupados, a {price} por gigabyte e mês",
  ],

  dimensions: ["{width} × {height}", "{width} × {height}", "{width} × {height}"],
  noPicture: ["The picture cannot be shown", "No se puede mostrar", "Não pode ser mostrada"],
  close: ["Close", "Cerrar", "Fechar"],
  previous: ["Previous image", "Imagen anterior", "Imagem anterior"],
  next: ["Next image", "Imagen siguiente", "Próxima imagem"],
  copyLink: ["Copy link", "Copiar enlace", "Copiar link"],
  copied: ["Link copied", "Enlace copiado", "Link copiado"],
  notCopied: ["The link could not be copied", "No se pudo copiar el enlace", "Não foi possível copiar o link"],
  download: ["Download", "Descargar", "Baixar"],
  factDimensions: ["Dimensions", "Dimensiones", "Dimensões"],
  factFormat: ["Format", "Formato", "Formato"],
  factBefore: ["Original", "Original", "Original"],
  factAfter: ["Compressed", "Comprimida", "Comprimida"],
  factVariants: ["Variants", "Variantes", "Variantes"],
  factSaved: ["Saved", "Ahorro", "Economia"],
  factTaken: ["Taken", "Tomada", "Tirada"],
  factCamera: ["Camera", "Cámara", "Câmera"],
  factProcessed: ["Processed", "Procesada", "Processada"],
  factKey: ["Key", "Clave", "Chave"],
  factCode: ["Code", "Código", "Código"],

  emptyTitle: ["No images yet", "Todavía no hay imágenes", "Ainda não há imagens"],
  emptyText: [
    "They appear here by themselves as soon as they have been processed. Put some in with",
    "Aparecen aquí por sí solas en cuanto se han procesado. Se suben con",
    "Elas aparecem aqui sozinhas assim que são processadas. Envie algumas com",
  ],
  emptyCommand: ["python upload_folder_images.py", "python upload_folder_images.py", "python upload_folder_images.py"],
  nothingTitle: ["Nothing matches", "Nada coincide", "Nada corresponde"],
  nothingText: [
    "No image fits this search and these filters. Names are matched from their beginning, capitals included.",
    "Ninguna imagen cumple esta búsqueda y estos filtros. Los nombres se comparan desde el comienzo, con mayúsculas.",
    "Nenhuma imagem atende a esta busca e a estes filtros. Os nomes são comparados desde o começo, com maiúsculas.",
  ],
  fineTitle: ["No problems", "Sin problemas", "Sem problemas"],
  fineText: ["Every image could be processed.", "Todas las imágenes se procesaron.", "Todas as imagens foram processadas."],
  missingTitle: ["This image is not here", "Esta imagen no está aquí", "Esta imagem não está aqui"],
  missingText: [
    "It was removed, or it is still being processed.",
    "Se ha eliminado o todavía se está procesando.",
    "Foi removida ou ainda está sendo processada.",
  ],
  unsetTitle: [
    "This page has not been told where its images are",
    "Esta página no sabe dónde están sus imágenes",
    "Esta página não sabe onde estão suas imagens",
  ],
  unsetText: [
    "Its settings are missing. They are written by",
    "Falta su configuración. La escribe",
    "Falta a sua configuração. Ela é escrita por",
  ],
  unsetCommand: ["python setup.py", "python setup.py", "python setup.py"],
  offlineTitle: ["No connection", "Sin conexión", "Sem conexão"],
  offlineText: [
    "This device is offline. The gallery goes on by itself as soon as it is back.",
    "Este dispositivo está sin conexión. La galería sigue sola en cuanto vuelva.",
    "Este dispositivo está sem conexão. A galeria continua sozinha assim que ela voltar.",
  ],
  unreachableTitle: ["The images cannot be reached", "No se puede llegar a las imágenes", "Não é possível chegar às imagens"],
  unreachableText: [
    "The connection failed. If the gallery runs on this computer, start it with",
    "La conexión ha fallado. Si la galería está en este equipo, se inicia con",
    "A conexão falhou. Se a galeria roda neste computador, inicie-a com",
  ],
  unreachableCommand: ["python -m local_cloud start", "python -m local_cloud start", "python -m local_cloud start"],
  busyTitle: ["Too many readers at this moment", "Demasiados lectores en este momento", "Leitores demais neste momento"],
  busyText: ["Try again in a few seconds.", "Vuelva a intentarlo en unos segundos.", "Tente de novo em alguns segundos."],
  refusedTitle: ["The images cannot be listed", "No se pueden listar las imágenes", "Não é possível listar as imagens"],
  refusedText: [
    "The gallery answered with an error.",
    "La galería respondió con un error.",
    "A galeria respondeu com um erro.",
  ],

  FAILED: ["It could not be processed.", "No se pudo procesar.", "Não pôde ser processada."],
  INVALID_EXTENSION: [
    "Its content is not an image format that is allowed here.",
    "Su contenido no es un formato de imagen que se admita aquí.",
    "Seu conteúdo não é um formato de imagem aceito aqui.",
  ],
  CORRUPT_FILE: [
    "It is damaged and cannot be decoded.",
    "Está dañada y no se puede decodificar.",
    "Está danificada e não pode ser decodificada.",
  ],
  TRUNCATED_IMAGE: [
    "It ends before all of its pixels have come.",
    "Termina antes de que lleguen todos sus píxeles.",
    "Termina antes de todos os seus pixels chegarem.",
  ],
  INVALID_CONTENT: ["It is empty.", "Está vacía.", "Está vazia."],
  TOO_LARGE: ["It is beyond the limits of size.", "Supera los límites de tamaño.", "Passa dos limites de tamanho."],
  ARCHIVED: [
    "It lies in an archive, where it cannot be read.",
    "Está en un archivo de largo plazo, donde no se puede leer.",
    "Está em um arquivo de longo prazo, onde não pode ser lida.",
  ],
  advice_FAILED: [
    "Upload it again; if it fails again, try another copy.",
    "Súbala de nuevo; si vuelve a fallar, pruebe con otra copia.",
    "Envie de novo; se falhar outra vez, tente outra cópia.",
  ],
  advice_INVALID_EXTENSION: [
    "Save it as JPEG, PNG, WebP or GIF and upload that.",
    "Guárdela como JPEG, PNG, WebP o GIF y suba eso.",
    "Salve como JPEG, PNG, WebP ou GIF e envie isso.",
  ],
  advice_CORRUPT_FILE: [
    "Open it in a viewer. If it looks right there, save it anew and upload that; if not, get another copy.",
    "Ábrala en un visor. Si ahí se ve bien, guárdela de nuevo y súbala; si no, busque otra copia.",
    "Abra em um visualizador. Se lá parecer certa, salve de novo e envie; se não, busque outra cópia.",
  ],
  advice_TRUNCATED_IMAGE: [
    "The upload or an earlier copy broke off. Copy it from its source again and upload that.",
    "La subida o una copia anterior se interrumpió. Cópiela otra vez desde su origen y súbala.",
    "O envio ou uma cópia anterior foi interrompido. Copie de novo da origem e envie.",
  ],
  advice_INVALID_CONTENT: [
    "The file has 0 bytes. Upload it again from where it is whole.",
    "El archivo tiene 0 bytes. Súbalo de nuevo desde donde esté completo.",
    "O arquivo tem 0 bytes. Envie de novo de onde ele está inteiro.",
  ],
  advice_TOO_LARGE: [
    "Make it smaller: at most 64 megapixels and 50 MB.",
    "Redúzcala: como mucho 64 megapíxeles y 50 MB.",
    "Reduza: no máximo 64 megapixels e 50 MB.",
  ],
  advice_ARCHIVED: [
    "Restore it from the archive: it is then processed by itself.",
    "Restáurela del archivo: después se procesa sola.",
    "Restaure-a do arquivo: depois ela é processada sozinha.",
  ],
};

/** The reader's language, with its region: "pt-BR". */
export const language = navigator.languages.find((tag) => LANGUAGES.includes(tag.split("-")[0])) ?? "en";
const column = LANGUAGES.indexOf(language.split("-")[0]);

/** The text for `key` with its `{names}` replaced; undefined where there is none. */
export function say(key, values = {}) {
  if (!Object.hasOwn(WORDS, key)) return undefined;
  return WORDS[key][column].replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

/** Why an image failed, in plain words; codes that are newer than this page get a general sentence. */
export const reason = (code) => coded("", code);

/** What to do about it. */
export const advice = (code) => coded("advice_", code);

const coded = (kind, code) => (/^[A-Z_]+$/.test(code) && say(kind + code)) || say(`${kind}FAILED`);

// Every word that the page says, by language. Keys are the same in each language; `{name}` is filled in.

const TABLE = {
  en: {
    title: "Gallery",
    skip: "Skip to the images",
    images: "Images, newest first",
    more: "Show more",
    loading: "Loading…",
    dimensions: "{width} × {height}",
    noPicture: "The picture cannot be shown",
    opens: "{key}, opens the compressed image",
    oneImage: "1 image",
    manyImages: "{count} images",
    saved: "{percent} saved",
    oneProblem: "1 problem",
    manyProblems: "{count} problems",
    retry: "Try again",
    emptyTitle: "No images yet",
    emptyText: "They appear here, newest first, as soon as they have been processed. Put some in with",
    emptyCommand: "python upload_folder_images.py",
    unset: "This page has not been told where its images are",
    unsetText: "Its settings are missing. They are written by",
    unsetCommand: "python setup.py",
    unreachable: "The images cannot be reached",
    unreachableText: "The connection failed. If the gallery runs on this computer, start it with",
    unreachableCommand: "python -m local_cloud start",
    busy: "Too many readers at this moment",
    busyText: "Try again in a few seconds.",
    refused: "The images cannot be listed",
    refusedText: "The gallery answered with an error.",
    FAILED: "It could not be processed.",
    INVALID_EXTENSION: "Its content is not an image format that is allowed here.",
    CORRUPT_FILE: "It is damaged and cannot be decoded.",
    TRUNCATED_IMAGE: "It ends before all of its pixels have come.",
    INVALID_CONTENT: "It is empty.",
    TOO_LARGE: "It is beyond the limits of size.",
  },
};

export const language = [...navigator.languages].find((tag) => tag.split("-")[0] in TABLE) ?? "en";
const words = TABLE[language.split("-")[0]];

/** The text for `key` with its `{names}` replaced; undefined where there is none. */
export function say(key, values = {}) {
  if (!Object.hasOwn(words, key)) return undefined;
  return words[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

/** Why an image failed, in plain words; codes that are newer than this page get a general sentence. */
export const reason = (code) => (/^[A-Z_]+$/.test(code) && say(code)) || say("FAILED");

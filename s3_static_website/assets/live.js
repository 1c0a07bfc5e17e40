// Looking for news again and again: often while things change, seldom while they do not, never in a hidden tab.

const OFTEN_MS = 3_000;
const SELDOM_MS = 20_000;
const SLOWER = 1.3;

/** Call `look`, which tells whether something had changed, from time to time. */
export function keepLooking(look) {
  let pause = OFTEN_MS;
  let timer = 0;

  const wait = () => {
    clearTimeout(timer);
    if (!document.hidden && navigator.onLine) timer = setTimeout(again, pause);
  };
  const again = async () => {
    const changed = await look();
    pause = changed ? OFTEN_MS : Math.min(pause * SLOWER, SELDOM_MS);
    wait();
  };
  const wakeUp = () => {
    clearTimeout(timer);
    pause = OFTEN_MS;
    if (!document.hidden && navigator.onLine) again();
  };
  for (const name of ["visibilitychange", "online", "offline"]) {
    (name === "visibilitychange" ? document : window).addEventListener(name, wakeUp);
  }
  wait();
}

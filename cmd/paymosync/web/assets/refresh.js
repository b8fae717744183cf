// Reads the page anew without losing the place, the focus and what is unfolded. Without
// this script the page reloads itself.
'use strict';
(() => {
  let seconds = Number(document.body.dataset.refresh);
  if (!seconds) return;
  const usual = 30;
  history.replaceState(null, '', location.pathname + location.hash); // what was said is said once
  let timer = 0;
  let leaving = false;
  addEventListener('submit', () => { leaving = true; });
  addEventListener('pageshow', () => { leaving = false; });

  const selecting = () => !getSelection().isCollapsed;

  function show(next) {
    const now = document.getElementById('live');
    const fresh = next.getElementById('live');
    if (!now || !fresh) throw new Error('another page came');
    const focused = document.activeElement && document.activeElement.id;
    const open = [...now.querySelectorAll('details[open]')].map((d) => d.id);
    const flash = now.querySelector('.flash');
    if (flash && !flash.dataset.kept) { // time enough to read it
      flash.dataset.kept = 'once';
      flash.removeAttribute('role');
      fresh.querySelector('main').prepend(flash);
    }
    now.replaceWith(document.importNode(fresh, true));
    document.title = next.title;
    for (const id of open) {
      const details = document.getElementById(id);
      if (details) details.open = true;
    }
    const back = focused && document.getElementById(focused);
    if (back) back.focus({ preventScroll: true });
    seconds = Number(next.body.dataset.refresh) || usual;
  }

  function fail() {
    const note = document.getElementById('refresh-note');
    if (!note || note.querySelector('.lost')) return;
    const lost = document.createElement('strong');
    lost.className = 'lost';
    lost.setAttribute('role', 'status');
    lost.textContent = 'No answer since then; trying again. ';
    note.prepend(lost);
  }

  async function refresh() {
    if (document.hidden || leaving || selecting()) return wait();
    try {
      const answer = await fetch('/', { headers: { Accept: 'text/html' }, signal: AbortSignal.timeout(20000) });
      if (!answer.ok) throw new Error(String(answer.status));
      const next = new DOMParser().parseFromString(await answer.text(), 'text/html');
      if (!leaving && !selecting()) show(next);
    } catch {
      fail();
    }
    wait();
  }

  function wait() {
    clearTimeout(timer);
    timer = setTimeout(refresh, seconds * 1000);
  }

  document.addEventListener('visibilitychange', () => { if (!document.hidden) refresh(); });
  wait();
})();

// Leadhub page snippet: keeps an inquiry in the browser until the hub has it. docs/page-snippet.md says how to use it.
// Whole-line comments and indentation are taken out when it is served; the integrity hash is that of the served bytes.
(function (w, d) {
  if (w.LeadHub || !w.AbortController) return;

  const script = d.currentScript;
  const read = (element, name) => (element && element.getAttribute("data-leadhub" + name)) || "";
  const hub = read(script, "");
  const all = read(script, "-forms") === "all";
  // A slow answer is given up after this; the inquiry is tried again with the same key, so that it cannot arrive twice.
  const limit = (+read(script, "-timeout") || 15) * 1e3;

  const QUEUE = "leadhub:queue:";
  const MARK = /^(utm_\w+|\w*clk?id|[gw]braid|rb_clickid|li_fat_id|_openstat)$/i;
  const COOKIES = ["_ga", "_ym_uid", "_fbc", "_fbp", "roistat_visit", "_ct_session_id"];
  const WORDS = {
    en: {
      sending: "Sending, keep this page open…",
      sent: "Thank you! Sent.",
      saved: "Saved, will be sent when you are online.",
      failed: "Not sent. Please call or write to us.",
    },
    ru: {
      sending: "Отправляем, не закрывайте страницу…",
      sent: "Спасибо! Отправлено.",
      saved: "Сохранено, отправим, как появится связь.",
      failed: "Не отправлено. Позвоните или напишите нам.",
    },
  };

  // ---- what is kept: localStorage, or this page's memory where that is blocked or full

  const memory = {};
  const own = {};

  function stored(key) {
    try {
      return memory[key] || JSON.parse(localStorage.getItem(key));
    } catch {
      return null;
    }
  }

  function store(key, value) {
    memory[key] = null;
    try {
      value ? localStorage.setItem(key, JSON.stringify(value)) : localStorage.removeItem(key);
    } catch {
      memory[key] = value;
    }
  }

  // Kept for seven days. Items: id, u address, t made at, n tries, a next try at, f fields, c context, dead status of a final refusal.
  // Each has an entry of its own: a list would be written by two tabs at once, and the later would undo the earlier.
  // What this page made itself is its own until the hub has answered: a site may clear its storage at any time.
  function load() {
    const keys = { ...own, ...memory };
    try {
      for (const key in localStorage) keys[key] = 1;
    } catch {}
    return Object.keys(keys)
      .map((key) => (key.indexOf(QUEUE) ? null : stored(key) || own[key]))
      .filter((item) => item && (Date.now() - item.t < 6048e5 || save(item, true)))
      .sort((a, b) => a.t - b.t);
  }

  function live() {
    return load().filter((item) => !item.dead);
  }

  function save(item, gone) {
    store(QUEUE + item.id, gone ? null : item);
  }

  // ---- where the visitor came from

  function cookie(name) {
    let value;
    try {
      value = ("; " + d.cookie).split("; " + name + "=")[1].split(";")[0];
      return decodeURIComponent(value);
    } catch {
      return value;
    }
  }

  function marks(address) {
    const found = {};
    try {
      new URL(address).searchParams.forEach((value, name) => {
        if (MARK.test(name) && value) found[name.toLowerCase()] = value.slice(0, 512);
      });
    } catch {}
    return found;
  }

  // The first visit is kept for ever, the last one until the next: it begins with marks or on another site.
  const here = { u: location.href.slice(0, 2000), r: d.referrer.slice(0, 2000), t: Date.now() };
  const first = visit("first");
  const last = visit("last", Object.keys(marks(here.u)).length || (here.r && here.r.indexOf(location.origin + "/")));

  function visit(name, isNew) {
    const known = !isNew && stored("leadhub:" + name);
    if (!known) store("leadhub:" + name, here);
    return known || here;
  }

  // The names are those that the hub reads in any form, so that a form with files can send them as fields.
  function context() {
    const found = { _script: 1, page_url: location.href, page_title: d.title, referrer: last.r, first_visit: first };
    COOKIES.forEach((name) => (found[name] = cookie(name)));
    return { ...found, ...marks(last.u) };
  }

  // ---- sending

  const going = {};
  let timer;

  function hex(bytes) {
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  function uid() {
    return hex(crypto.getRandomValues(new Uint8Array(16)));
  }

  function letter(item) {
    return JSON.stringify({ _key: item.id, _age_ms: Math.max(0, Date.now() - item.t), _try: item.n, fields: item.f, ctx: item.c });
  }

  // The answer's text belongs to what may be slow; one that cannot be read is an answer all the same. A page is none of the
  // hub's: something before it is being repaired. A redirect that made a GET of the post brings a text, but no JSON.
  function ask(address, options) {
    const stop = new AbortController();
    const clock = setTimeout(() => stop.abort(), limit);
    return fetch(address, { credentials: "omit", headers: { Accept: "application/json" }, signal: stop.signal, ...options })
      .then((r) =>
        r.json().catch(() => null).then((answer) => ({
          ok: r.ok && (answer || !(r.redirected || /html/.test(r.headers.get("content-type")))),
          status: r.status,
          final: /^4(?!08|25|29)/.test(r.status),
          answer,
        }))
      )
      .finally(() => clearTimeout(clock));
  }

  function tell(item, state, answer) {
    const made = own[QUEUE + item.id];
    if (/sent|failed/.test(state)) delete own[QUEUE + item.id];
    (made ? made.told : emit)(state, item.id, answer);
  }

  // A text is sent as text/plain, which makes it a simple request: no preflight, from any site.
  function post(item) {
    const body = letter(item);
    return ask(item.u, {
      method: "POST",
      // Browsers refuse more than 64 kB; a character has up to three bytes.
      keepalive: body.length < 2e4,
      body,
    }).then(
      (r) => {
        if (r.ok) {
          save(item, true);
          return tell(item, "sent", r.answer);
        }
        if (!r.final) return later(item);
        item.dead = r.status;
        save(item);
        tell(item, "failed", r.answer);
      },
      () => later(item)
    );
  }

  function later(item) {
    item.n++;
    item.a = Date.now() + Math.min(3e5, 1e3 * 2 ** item.n) * (.7 + Math.random() * .6);
    save(item);
    // What only this page remembers is not saved.
    tell(item, memory[QUEUE + item.id] ? "sending" : "saved");
  }

  // One tab sends an item at a time, where the browser has locks; where it has none, the hub knows the key.
  function deliver(item) {
    const send = (mine) => {
      const now = mine && (stored(QUEUE + item.id) || own[QUEUE + item.id]);
      return now && (now.dead ? tell(now, "failed") : post(now));
    };
    const locks = navigator.locks;
    going[item.id] = true;
    return (locks ? locks.request("leadhub:" + item.id, { ifAvailable: true }, send).catch(() => send(true)) : Promise.resolve(send(true)))
      .then(() => {
        delete going[item.id];
        plan();
      });
  }

  function plan() {
    clearTimeout(timer);
    const next = Math.min(...live().map((item) => item.a || 0));
    if (next < Infinity) timer = setTimeout(flush, Math.min(4e5, Math.max(1e3, next - Date.now())));
  }

  // All that are due, or, when the connection is back, all; one after the other.
  function flush(event) {
    const due = live().filter((item) => !going[item.id] && (event || (item.a || 0) <= Date.now()));
    return due.reduce((before, item) => before.then(() => deliver(item)), Promise.resolve()).then(plan);
  }

  // Resolves with {state, key, answer} when it was sent, saved for later, or refused for good.
  function send(fields, options) {
    options = options || {};
    const item = { id: uid(), u: options.to || hub, t: Date.now(), n: 0, f: fields, c: { ...context(), ...options.ctx } };
    own[QUEUE + item.id] = item;
    save(item);
    return new Promise((resolve) => {
      item.told = (state, key, answer) => {
        (options.told || emit)(state, key, answer);
        resolve({ state, key, answer });
      };
      hashed(item.c._consents).then(() => {
        save(item);
        deliver(item);
      });
    });
  }

  // ---- forms

  const busy = new WeakSet();
  const copies = new WeakMap();
  const tokens = new WeakMap();

  function emit(state, key, answer, form) {
    (form || d).dispatchEvent(new CustomEvent("leadhub:" + state, { bubbles: true, detail: { key, answer } }));
  }

  function show(form, state) {
    let place = form.querySelector("[data-leadhub-status]");
    if (!place) {
      place = form.appendChild(d.createElement("p"));
      place.setAttribute("data-leadhub-status", "");
    }
    place.setAttribute("role", "status");
    place.setAttribute("data-leadhub-state", state);
    place.textContent = read(place, "-" + state) || WORDS[form.matches(":lang(ru)") ? "ru" : "en"][state];
  }

  function isOurs(form) {
    const own = form.getAttribute("data-leadhub");
    return own === null ? all && !form.matches("[method=dialog],[role=search]") && !form.querySelector("[type=password],[type=search]") : own !== "off";
  }

  function addressOf(form) {
    return read(form, "") || hub || form.getAttribute("action");
  }

  function consents(form) {
    return Array.from(form.querySelectorAll("[data-leadhub-consent]"), (box) => {
      const label = (box.labels && box.labels[0]) || box;
      const link = label.querySelector("a");
      return {
        field: box.name,
        purpose: read(box, "-consent") || "processing",
        given: box.checked,
        text: label.textContent.replace(/\s+/g, " ").trim(),
        id: read(box, "-consent-id"),
        url: link && link.href,
      };
    });
  }

  // Without TLS a browser has no crypto.subtle; the hub then makes the hash of the text itself.
  function hashed(list) {
    return Promise.all(
      ((crypto.subtle && list) || []).map((consent) =>
        crypto.subtle.digest("SHA-256", new TextEncoder().encode(consent.text)).then((hash) => {
          consent.sha256 = hex(new Uint8Array(hash));
        })
      )
    );
  }

  function collect(data) {
    const fields = { __proto__: null };
    data.forEach((value, name) => {
      if (typeof value !== "string") return;
      fields[name] = name in fields ? [].concat(fields[name], value) : value;
    });
    return fields;
  }

  // Taken before any script of the page: React empties its fields, others stop the event on its way.
  function onCapture(event) {
    const form = event.target;
    const pressed = event.submitter;
    // A button with an address of its own does something else: it asks for a price, it saves a draft.
    if (!isOurs(form) || (pressed && pressed.hasAttribute("formaction"))) return;
    const data = new FormData(form);
    if (pressed && pressed.name) data.append(pressed.name, pressed.value);
    const boxes = consents(form);
    const more = { _consents: boxes[0] && boxes, _t: tokens.get(form), form_id: read(form, "-form") || form.getAttribute("id") };
    const copy = { data, more, n: isFull(form) && 60 };
    // Of the form as well: the next submit makes an end of what waits for this one.
    copies.set(event, copy);
    copies.set(form, copy);
    setTimeout(() => copies.has(event) && event.defaultPrevented && copy.n && watch(form, copy));
  }

  function isFull(form) {
    return [...form.elements].some((input) => /^te|em/.test(input.type) && input.value);
  }

  // A script of the page has the inquiry, or refused it. A copy goes to the hub once the page has emptied the form or put it
  // away, which no validation does.
  function watch(form, copy) {
    const look = () => {
      if (copies.get(form) !== copy) return;
      const told = (state, key, answer) => emit(state, key, answer, form);
      if (form.getClientRects().length && isFull(form)) --copy.n ? setTimeout(look, 250) : told("skipped");
      else send(collect(copy.data), { to: addressOf(form), ctx: copy.more, told });
    };
    look();
  }

  function onSubmit(event) {
    const form = event.target;
    const copy = copies.get(event);
    if (event.defaultPrevented || !copy) return;
    const { data, more } = copy;
    const files = [...data.values()].some((value) => value.size);
    if (files && navigator.onLine === false) return;
    copies.delete(event);
    event.preventDefault();
    if (busy.has(form)) return;
    busy.add(form);
    const off = [...form.querySelectorAll("button,input")].filter((button) => /^(su|im)/.test(button.type) && !button.disabled);
    off.forEach((button) => (button.disabled = true));
    const told = (state, key, answer) => {
      show(form, state);
      emit(state, key, answer, form);
      if (state === "sending") return;
      busy.delete(form);
      off.forEach((button) => (button.disabled = false));
      if (!/sent|saved/.test(state)) return;
      // Only once: a later "sent" of the same inquiry must not empty what is being typed by now.
      if (!told.done && !form.hasAttribute("data-leadhub-keep")) HTMLFormElement.prototype.reset.call(form);
      told.done = true;
      if (state === "sent" && read(form, "-next")) location.assign(read(form, "-next"));
    };
    told("sending");
    if (files) withFiles(form, data, { ...context(), ...more }, told);
    else send(collect(data), { to: addressOf(form), ctx: more, told });
  }

  // Files do not fit into the queue: they are sent at once, and if that fails as if there were no script.
  function withFiles(form, data, more, told) {
    more._key = uid();
    const put = (name, value) => {
      if (typeof value === "object") for (const inner in value) put(name + "[" + inner + "]", value[inner]);
      else if (value != null && value !== "" && !data.has(name)) data.append(name, value);
    };
    hashed(more._consents)
      .then(() => {
        for (const name in more) put(name, more[name]);
        return ask(addressOf(form), { method: "POST", body: data });
      })
      .then((r) => (r.ok || r.final ? told(r.ok ? "sent" : "failed", more._key, r.answer) : Promise.reject()))
      .catch(() => natively(form, more._key, told));
  }

  function natively(form, key, told) {
    if (!form.getAttribute("action") || !/^post$/i.test(form.getAttribute("method"))) return told("failed", key);
    const input = form.appendChild(d.createElement("input"));
    input.type = "hidden";
    input.name = "_key";
    input.value = key;
    // Who comes back to the page finds a form that can be sent again, not one that says "Sending…" for ever.
    w.addEventListener("pageshow", () => {
      input.remove();
      told("back", key);
    });
    HTMLFormElement.prototype.submit.call(form);
  }

  // A signed time of the first touch: who has a token and fills in a form in half a second is a robot.
  function onFocus(event) {
    const form = event.target.closest("form[data-leadhub-guard]");
    if (!form || tokens.has(form)) return;
    tokens.set(form);
    ask(addressOf(form).replace(/\/in\/([^/?#]+).*$/, "/c/$1"), {}).then(
      (r) => tokens.set(form, r.answer && r.answer.t),
      () => tokens.delete(form)
    );
  }

  w.LeadHub = {
    send,
    flush: () => flush(true),
    pending: () => live().length,
    failed: () => load().filter((item) => item.dead),
  };
  w.addEventListener("submit", onCapture, true);
  d.addEventListener("submit", onSubmit);
  d.addEventListener("focusin", onFocus);
  w.addEventListener("online", flush);
  w.addEventListener("pageshow", (event) => event.persisted && flush(event));
  w.addEventListener("pagehide", () => {
    live().forEach((item) => navigator.sendBeacon(item.u, letter(item)));
  });
  flush(true);
})(window, document);

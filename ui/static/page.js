/* What the page does in the browser. Listeners stand on the document, because the server's updates replace nodes. */
"use strict";
(() => {
  const one = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const send = (name, detail = {}) => document.dispatchEvent(new CustomEvent("gw:" + name, { detail }));
  const isPhone = () => matchMedia("(max-width: 860px)").matches;
  const kept = { get: (k) => { try { return localStorage.getItem(k); } catch { return null; } },
                 set: (k, v) => { try { localStorage.setItem(k, v); } catch { /* private window */ } } };
  let selected = null, wayBack = null, replacing = null, serial = 0, heard = "", format = "", asked = "";

  let fading = 0;
  const show = (text) => { const node = one("#gw-toast"); node.textContent = text; node.hidden = false; clearTimeout(fading); fading = setTimeout(() => { node.hidden = true; }, 4000); };
  const say = (text) => { const node = one("#gw-status"); node.textContent = ""; setTimeout(() => { node.textContent = text; }, 50); };
  const tell = (text) => { say(text); show(text); };  // to the ear and to the eye

  /* Filters live in the address. */
  const filters = () => ({ since: one("#gw-since").value, until: one("#gw-until").value,
                           sources: all("#gw-choices input:checked").map((box) => box.value) });
  const address = () => {
    const { since, until, sources } = filters(), query = new URLSearchParams();
    if (since) query.set("since", since);
    if (until) query.set("until", until);
    sources.forEach((source) => query.append("source", source));
    return "/" + (query.size ? "?" + query : "");
  };
  const showFilters = () => {
    const { since, until, sources } = filters(), count = Boolean(since) + Boolean(until) + sources.length;
    one("#gw-filtered").textContent = count ? ` (${count})` : "";
    history.replaceState(null, "", address());
  };
  const clearFilters = () => { one("#gw-since").value = one("#gw-until").value = ""; all("#gw-choices input").forEach((box) => { box.checked = false; }); showFilters(); };
  const fillChoices = () => {
    const wanted = new URLSearchParams(location.search).getAll("source");
    const names = [...new Set([...all("#choices li").map((item) => item.textContent), ...wanted])];
    if (names.join("\n") === all("#gw-choices input").map((box) => box.value).join("\n")) return;
    one("#gw-choices").replaceChildren(...names.map((name) => {
      const label = document.createElement("label"), box = document.createElement("input");
      box.type = "checkbox"; box.value = name; box.checked = wanted.includes(name); label.append(box, " " + name); return label;
    }));
  };

  /* Asking, and the questions of the past. */
  const past = () => { try { return JSON.parse(kept.get("gw-past") || "[]"); } catch { return []; } };
  const showPast = () => one("#gw-list").replaceChildren(...past().map((question) => {
    const item = document.createElement("li"), button = document.createElement("button");
    button.type = "button"; button.className = "gw-link gw-again"; button.textContent = question; item.append(button); return item;
  }));
  const busy = (is) => { one("#gw-send").hidden = is; one("#gw-stop").hidden = !is; };
  const ask = (question, replace = null) => {
    if (!question.trim() || !one("#gw-stop").hidden) return;
    busy(true); all("#gw-form details").forEach((d) => { d.open = false; });
    kept.set("gw-past", JSON.stringify([question, ...past().filter((q) => q !== question)].slice(0, 20))); showPast();
    one("#gw-question").value = ""; replacing = null; asked = String(++serial);
    const detail = { question, ...filters(), replace, serial: asked };
    send("ask", detail); sendAgain(detail, 3);
  };
  /* A message to the server can get lost, as when it is sent while the page's last stream closes. The server answers a serial once. */
  const sendAgain = (detail, left) => setTimeout(() => {
    if (!left || asked !== detail.serial || one(`#chat .gw-turn[data-serial="${detail.serial}"]`)) return;
    send("ask", detail); sendAgain(detail, left - 1);
  }, 5000);
  const isLive = (turn) => ["searching", "waiting", "writing"].includes(turn?.dataset.state);
  const lastTurn = () => all("#chat .gw-turn").at(-1);
  /* A stop can get lost too; and a part of the answer that was under way may come after it. */
  const stop = () => { send("stop"); asked = ""; busy(false); stopAgain(3); };
  const stopAgain = (left) => setTimeout(() => {
    if (!left || asked) return;
    if (isLive(lastTurn())) send("stop");
    stopAgain(left - 1);
  }, 2000);
  const turnOf = (node) => Number(node.dataset.turn);
  const questionOf = (turn) => one(`#t-${turn} .gw-question`).textContent;

  /* From a number to the words that it stands for, and back. */
  const marksOf = (turn, n) => all(`#src mark[data-turn="${turn}"][data-n~="${n}"]`);
  const showTurn = (turn) => all("#src .gw-sources").forEach((s) => { s.hidden = s.dataset.turn !== String(turn); });
  const openSheet = () => {
    if (!isPhone()) return;
    document.body.classList.add("gw-sheet");
    const sheet = one("#src-col"); sheet.setAttribute("role", "dialog"); sheet.setAttribute("aria-modal", "true"); sheet.setAttribute("aria-labelledby", "gw-sources-name");
    one("#chat-col").inert = one("#head").inert = true;
  };
  const closeSheet = () => {
    if (!document.body.classList.contains("gw-sheet")) return false;
    document.body.classList.remove("gw-sheet");
    ["role", "aria-modal", "aria-labelledby"].forEach((name) => one("#src-col").removeAttribute(name));
    one("#chat-col").inert = one("#head").inert = false; wayBack?.focus(); return true;
  };
  const goBack = () => { if (!closeSheet()) wayBack?.focus(); };
  const keep = () => {
    if (!selected) return;
    const marks = marksOf(selected.turn, selected.n);
    all("#src mark.on").forEach((m) => marks.includes(m) || m.classList.remove("on"));
    marks.forEach((m) => m.classList.contains("on") || m.classList.add("on"));
    all(".gw-cite").forEach((c) => { const is = c.dataset.turn === selected.turn && c.dataset.n === selected.n; if (is !== c.hasAttribute("aria-current")) c.toggleAttribute("aria-current", is); });
  };
  const into = (box, node, share) => { const b = box.getBoundingClientRect(), n = node.getBoundingClientRect(); box.scrollTop += n.top - b.top - share * Math.max(0, b.height - n.height); };
  const open = (chip) => {
    const { turn, n } = chip.dataset, marks = marksOf(turn, n); wayBack = chip; hide();
    if (!marks.length) return say("That passage is not here yet.");
    selected = { turn, n }; showTurn(turn); openSheet();
    const card = marks[0].closest("details"); all("#src details").forEach((d) => { d.open = d === card; }); keep();
    into(marks[0].closest(".gw-body"), marks[0], 0.3); into(one("#src"), card, 0); marks[0].focus({ preventScroll: true });
    say(`Passage ${n} highlighted in ${one(".gw-title", card).textContent}`);
  };

  /* Preview: hoverable, and Esc hides it. */
  const preview = document.createElement("div"); preview.id = "gw-preview"; preview.setAttribute("role", "tooltip"); preview.hidden = true;
  let timer = 0;
  const hide = () => { clearTimeout(timer); preview.hidden = true; };
  const peek = (chip) => {
    const marks = marksOf(chip.dataset.turn, chip.dataset.n); if (!marks.length) return;
    const card = marks[0].closest("details"), line = (name, text) => { const p = document.createElement("p"); p.className = name; p.textContent = text; return p; };
    preview.replaceChildren(line("gw-meta", one(".gw-meta", card).textContent), line("gw-title", one(".gw-title", card).textContent), line("", "“" + marks.map((m) => m.textContent).join("") + "”"));
    one("#chat").append(preview); preview.hidden = false;
    const at = chip.getBoundingClientRect();
    preview.style.left = Math.max(8, Math.min(innerWidth - preview.offsetWidth - 8, at.left - 16)) + "px";
    preview.style.top = (at.top > preview.offsetHeight + 16 ? at.top - preview.offsetHeight - 8 : at.bottom + 8) + "px";
  };

  /* Copies and downloads. */
  const copy = async (text, button) => { try { await navigator.clipboard.writeText(text); tell("Copied"); } catch { tell("The browser did not allow copying"); } };
  const asText = (turn) => {
    const answer = one(`#t-${turn} .gw-answer`).cloneNode(true); all(".gw-foot, .gw-next, .gw-sr, button:not(.gw-cite)", answer).forEach((n) => n.remove());
    all(".gw-cite", answer).forEach((c) => c.replaceWith(`[${c.textContent.trim()}]`));
    const seen = new Map(); all(`#src mark[data-turn="${turn}"]`).forEach((m) => m.dataset.n.split(" ").forEach((n) => { const card = m.closest("details"), was = seen.get(n); seen.set(n, { text: (was ? was.text : "") + m.textContent, card }); }));
    const list = [...seen].sort((a, b) => a[0] - b[0]).map(([n, { text, card }]) => `[${n}] ${one(".gw-title", card).textContent}. ${one(".gw-meta", card).textContent}. “${text}”`);
    return [answer.textContent.replace(/\u2060/g, "").replace(/[ \t]+/g, " ").replace(/\n\s*/g, "\n").trim(), ...list].join("\n");
  };
  const save = (name, type, text) => { const link = document.createElement("a"); link.href = URL.createObjectURL(new Blob([text], { type })); link.download = name; link.click(); setTimeout(() => URL.revokeObjectURL(link.href), 1000); };
  const plain = (text) => String(text ?? "").replace(/([\\`*_{}[\]<>#|!$~])/g, "\\$1");
  const asMarkdown = (turns) => turns.map(({ question, answer }) => `## ${plain(question)}\n\n${plain(answer ? answer.text : "(no answer)")}\n\n` + (answer ? answer.citations.map((c) => `- \\[${c.number}\\] ${plain(c.title)}, ${plain(c.source)}, ${plain(c.published)}: “${plain(c.quote)}”${c.also_in.length ? ` (also in ${c.also_in.map((a) => plain(a.source || a.title || a.article_id)).join(", ")})` : ""}\n`).join("") : "")).join("\n");
  const receive = () => {
    const mail = one("#mail [data-kind]"); if (!mail || mail.dataset.serial === heard) return;
    heard = mail.dataset.serial;
    if (mail.dataset.kind === "feedback") return tell(mail.textContent);
    if (format === "json") save("groundwire.json", "application/json", mail.textContent);
    else save("groundwire.md", "text/markdown", asMarkdown(JSON.parse(mail.textContent)));
  };

  /* What may be asked next comes after the answer, when it has been tried out. */
  const suggest = () => {
    const sent = one("#follow [data-kind]"), next = sent && one(`.gw-next[data-turn="${CSS.escape(sent.dataset.kind)}"]`); if (!next || next.childElementCount) return;
    next.replaceChildren(...JSON.parse(sent.textContent).map((question) => { const b = document.createElement("button"); b.type = "button"; b.className = "gw-suggest"; b.textContent = question; return b; }));
    next.hidden = !next.childElementCount;
  };

  /* Upload: a row a file, one after the other. Where the server says that it is too much for now, the rest waits. */
  const pause = (seconds) => new Promise((done) => { setTimeout(done, 1000 * seconds); });
  const outcome = (told) => {
    const wrong = told.files.filter((file) => file.reason).map((file) => `${file.outcome}: ${file.reason}`), more = wrong.length - 3;
    const read = told.passages || !wrong.length ? [`${told.passages} passage${told.passages === 1 ? "" : "s"}`] : [];
    return [...read, ...wrong.slice(0, 3), ...(more > 0 ? [`and ${more} more`] : [])].join("; ");
  };
  const hand = async (file, write) => {
    if (file.size > one("#gw-files").dataset.most) return `failed: larger than ${one("#gw-files").dataset.most / 1048576} MB; split it`;
    const form = new FormData(); form.append("file", file);
    for (;;) {
      write("reading…");
      const reply = await fetch("/api/v1/articles", { method: "POST", body: form });
      if (reply.status !== 429) { const told = await reply.json(); return reply.ok ? outcome(told) : `failed: ${told.detail || told.title}`; }
      const seconds = Number(reply.headers.get("retry-after")) || 1;
      write(`many files were sent within a minute; goes on in ${seconds} s`); await pause(seconds);
    }
  };
  const upload = async (files) => {
    const rows = [...files].map((file) => {
      const row = document.createElement("li"), write = (what) => { row.textContent = `${file.name}: ${what}`; };
      write("queued"); one("#gw-uploads").append(row); return [file, write];
    });
    for (const [file, write] of rows) write(await hand(file, write).catch(() => "failed: the server could not be reached"));
    tell("Upload finished");
  };

  /* Clicks and keys. */
  const clicks = {
    ".gw-cite": open, ".gw-back": goBack, "#gw-close": closeSheet, "#gw-clear": clearFilters,
    ".gw-suggest": (b) => ask(b.textContent), ".gw-again": (b) => ask(b.textContent),
    ".gw-retry": (b) => ask(questionOf(turnOf(b)), turnOf(b)),
    ".gw-unfilter": (b) => { clearFilters(); ask(questionOf(turnOf(b)), turnOf(b)); },
    ".gw-edit": (b) => { replacing = turnOf(b); const box = one("#gw-question"); box.value = questionOf(replacing); box.focus(); },
    ".gw-show": (b) => { wayBack = b; showTurn(turnOf(b)); openSheet(); if (isPhone()) one("#gw-close").focus(); },
    ".gw-copy": (b) => copy(asText(turnOf(b))), ".gw-perma": (b) => copy(location.origin + b.dataset.address),
    ".gw-say": (b) => send("feedback", { turn: turnOf(b), kind: b.dataset.kind, serial: ++serial }),
    "[data-export]": (b) => { format = b.dataset.export; send("export", { serial: ++serial }); },
    "#gw-stop": () => stop(), "#gw-new": () => { send("fresh"); asked = ""; busy(false); selected = null; one("#gw-question").focus(); },
    "#gw-forget": () => { kept.set("gw-past", "[]"); showPast(); },
    "#gw-open": (b) => { wayBack = b; openSheet(); one("#gw-close").focus(); },
    "#gw-theme": () => theme(!document.body.classList.contains("dark"), true),
  };
  document.addEventListener("click", (event) => {
    for (const [selector, act] of Object.entries(clicks)) { const node = event.target.closest(selector); if (node) { act(node); return; } }
    if (document.body.classList.contains("gw-sheet") && !event.target.closest("#src-col")) closeSheet();
  });
  const complain = (form) => {
    const kind = one("input:checked", form).value, citation = kind === "wrong_passage" ? Number(form.elements.citation.value) : null;
    send("feedback", { turn: turnOf(form), kind, citation, comment: form.elements.comment.value, serial: ++serial });
    form.reset(); const box = form.closest("details"); box.open = false; one("summary", box).focus();
  };
  document.addEventListener("submit", (event) => {
    if (event.target.id === "gw-form") { event.preventDefault(); ask(one("#gw-question").value, replacing); }
    else if (event.target.matches(".gw-say-form")) { event.preventDefault(); complain(event.target); }
  });
  document.addEventListener("change", (event) => { if (event.target.id === "gw-files") upload(event.target.files); else if (event.target.closest("#gw-filters")) showFilters(); });
  document.addEventListener("keydown", (event) => {
    if (event.target.id === "gw-question" && event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); ask(event.target.value, replacing); }
    else if (event.key === "Escape") { if (!preview.hidden) hide(); else if (!closeSheet() && event.target.closest("#src")) goBack(); }
    else if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") { event.preventDefault(); one("#gw-question").focus(); }
    else if (event.altKey && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      const chips = all("#chat .gw-cite"); if (!chips.length) return; event.preventDefault();
      const at = chips.indexOf(wayBack), step = event.key === "ArrowDown" ? 1 : -1; open(chips[at < 0 ? 0 : (at + step + chips.length) % chips.length]);
    }
  });
  document.addEventListener("pointerover", (event) => {
    const chip = event.target.closest?.(".gw-cite");
    if (chip && event.pointerType !== "touch") { clearTimeout(timer); timer = setTimeout(() => peek(chip), 150); }
    else if (!event.target.closest?.("#gw-preview")) { clearTimeout(timer); timer = setTimeout(hide, 200); }
  });
  document.addEventListener("focusin", (event) => { if (event.target.matches(".gw-cite:focus-visible")) peek(event.target); else if (!preview.contains(event.target)) hide(); });

  const theme = (dark, save) => { document.body.classList.toggle("dark", dark); const button = one("#gw-theme"); button.setAttribute("aria-pressed", String(dark)); if (save) kept.set("gw-theme", dark ? "dark" : "light"); };

  /* After every update from the server. */
  let newest = "";
  const updated = () => {
    keep();
    const last = lastTurn(); if (!last) { newest = ""; return; }
    if (last.dataset.serial !== newest) { newest = last.dataset.serial; into(one("#chat"), last, 0); }
    if (!isLive(last) && last.dataset.serial === asked) { asked = ""; busy(false); if (one(".gw-next", last)) send("follow", { turn: turnOf(last), ...filters(), serial: ++serial }); say(`${last.dataset.said}. ${all(".gw-cite", last).length} citations.`); }
  };
  const begin = setInterval(() => {
    if (!document.body.dataset.gwWired || !["#gw-question", "#src", "#chat", "#gw-theme"].every((s) => one(s))) return;
    clearInterval(begin); document.documentElement.lang = "en";
    one("#src").tabIndex = one("#chat").tabIndex = one("#welcome").tabIndex = 0;
    one("#welcome").setAttribute("role", "region"); one("#welcome").setAttribute("aria-label", "Welcome");
    one("#chat").setAttribute("role", "region"); one("#chat").setAttribute("aria-label", "Conversation");
    one("#src").setAttribute("role", "region"); one("#src").setAttribute("aria-label", "Source texts");
    const chosen = kept.get("gw-theme"); theme(chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches, false);
    const query = new URLSearchParams(location.search); one("#gw-since").value = query.get("since") || ""; one("#gw-until").value = query.get("until") || "";
    fillChoices(); showPast(); if (query.size) showFilters();
    const watch = (selector, act) => new MutationObserver(act).observe(one(selector), { childList: true, subtree: true, attributes: true, attributeFilter: ["data-state", "data-serial", "class"] });
    watch("#chat", updated); watch("#src", keep); watch("#choices", fillChoices); watch("#mail", receive); watch("#follow", suggest);
    document.body.dataset.gwReady = "1"; if (!isPhone()) one("#gw-question").focus();
    if (query.get("q")) ask(query.get("q").slice(0, 2000));
  }, 30);
})();

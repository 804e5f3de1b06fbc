/* Daoyi 导医台: the chat of a hospital's desk as one custom element, <daoyi-chat>.
 *
 *   <script src="https://desk.example.org/chat/daoyi-chat.js" defer></script>
 *   <daoyi-chat></daoyi-chat>                 a launcher in the corner of any page
 *   <daoyi-chat mode="full"></daoyi-chat>     fills the place it is put in
 *
 * Attribute `server`: where the desk answers, by default where this file came from.
 * Text is data: it only ever enters the page as textContent. Written for browsers from 2018 on, without a build step.
 */
(function () {
  "use strict";
  if (!window.customElements || customElements.get("daoyi-chat")) return;

  const SCRIPT = document.currentScript;
  const HOME = SCRIPT && SCRIPT.src ? new URL(SCRIPT.src, location.href).origin : location.origin;
  const FIRST_PAGE = 60;
  const ACK_MS = 8000;
  const PING_MS = 25000;
  const TYPING_MS = 4000; // the desk forgets after six seconds
  const DELAYS = [500, 1000, 2000, 4000, 8000, 15000];
  const TRIES = 4;
  const KEEP_UNSENT_MS = 24 * 3600 * 1000;
  const RENEW_MS = 7 * 24 * 3600 * 1000;
  const SESSION_OVER = 4401;
  const SHANGHAI_MS = 8 * 3600 * 1000; // no summer time
  const NEW_TIME_MS = 5 * 60 * 1000;
  const SLOW_MS = 15000;
  const PICTURE_SMALL = 1024 * 1024; // bytes that are sent as they are
  const PICTURE_MOST = 5 * 1024 * 1024;
  const PICTURE_EDGE = 2000; // pixels, as the desk keeps it
  const PICTURE_KINDS = ["image/jpeg", "image/png", "image/webp", "image/gif"];
  const SVG = "http://www.w3.org/2000/svg";

  const ICONS = {
    calendar: "M5 5h14a1 1 0 0 1 1 1v13a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1V6a1 1 0 0 1 1-1zM4 10h16M8 3v4M16 3v4M9 15l2 2 4-4",
    doctor: "M12 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 21c0-4 3.6-6.5 8-6.5s8 2.5 8 6.5M12 16.5v4M10 18.5h4",
    sign: "M12 3v18M6 5h11l3 2.5L17 10H6zM18 12H7l-3 2.500L7 17h11z",
    price: "M4 12V5a1 1 0 0 1 1-1h7l8 8-8 8zM8 8h.01",
    shield: "M12 3l7 3v5.500c0 4.5-3 8-7 9.5-4-1.5-7-5-7-9.500V6zM9 12l2.2 2.200L15.5 10",
    voice: "M4 5h16v11H10l-4 4v-4H4zM8 9h8M8 12h5",
    send: "M4 12l16-8-5 16-3.5-6.500zM11.5 13.500L20 4",
    picture: "M5 5h14a1 1 0 0 1 1 1v12a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1V6a1 1 0 0 1 1-1zM4 16l5-5 4 4 2.500-2.500L20 17M15.500 9h.01",
    phone: "M6 3h3l1.5 5-2 1.500a12 12 0 0 0 6 6l1.5-2 5 1.500v3a2 2 0 0 1-2 2A16 16 0 0 1 4 5a2 2 0 0 1 2-2z",
    alert: "M12 3l9.5 17h-19zM12 10v4.500M12 17.500h.01",
    receipt: "M6 3h12v18l-3-2-3 2-3-2-3 2zM9 8h6M9 12h6",
    down: "M6 9l6 6 6-6",
    chat: "M4 5h16v12H11l-5 4v-4H4zM12 8v6M9 11h6",
    person: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.5 21c0-4 3.4-6.5 7.5-6.500s7.5 2.5 7.5 6.5",
  };

  const STYLE = `
:host{--ink:#17302f;--soft:#4d6664;--line:#d5e3e1;--paper:#fff;--ground:#f2f7f6;--brand:#0b6a67;--brand-deep:#07504e;
--mine:#cdeae4;--mine-ink:#0d3331;--tint:#e6f3f1;--danger:#b3201c;--danger-tint:#fff2f0;--danger-line:#eeb4b0;--warm:#8a4b00;
--warm-tint:#fff6e6;--warm-line:#ecd3a4;--size:16px;--focus:#0a58ca;
display:block;color:var(--ink);font-size:var(--size);line-height:1.65;text-align:left;letter-spacing:normal;
font-family:"PingFang SC","HarmonyOS Sans SC","MiSans","Noto Sans SC","Noto Sans CJK SC","Source Han Sans SC","Microsoft YaHei",system-ui,sans-serif;
-webkit-text-size-adjust:100%;-webkit-font-smoothing:antialiased}
:host([hidden]){display:none}
*,*::before,*::after{box-sizing:border-box}
.large{--size:21px;font-size:var(--size)}
.contrast{--ink:#000;--soft:#1b1b1b;--line:#333;--ground:#fff;--brand:#003f3d;--brand-deep:#002a29;--mine:#fff;--mine-ink:#000;
--tint:#fff;--danger:#8a0000;--danger-tint:#fff;--danger-line:#8a0000;--warm:#4a2600;--warm-tint:#fff;--warm-line:#4a2600}
button,textarea,a{font:inherit;color:inherit}
button{cursor:pointer;border:0;background:none;padding:0;margin:0}
p,h2{margin:0}
svg{width:1.35em;height:1.35em;fill:none;stroke:currentColor;stroke-width:1.7;stroke-linecap:round;stroke-linejoin:round;flex:none}
:focus{outline:none}
:focus-visible{outline:3px solid var(--focus);outline-offset:2px;box-shadow:0 0 0 2px #fff}
.quiet{position:absolute;width:1px;height:1px;margin:-1px;overflow:hidden;clip:rect(0 0 0 0);white-space:nowrap}
.frame{position:relative;height:100%}
.panel{position:relative;display:flex;flex-direction:column;height:100%;background:var(--ground);color:var(--ink);overflow:hidden;border-radius:inherit;font-size:var(--size)}
.panel[hidden],.launch[hidden],[hidden]{display:none!important}
.bar{display:flex;align-items:center;gap:.7em;padding:12px 14px 12px 18px;background:linear-gradient(120deg,var(--brand-deep),var(--brand));color:#fff}
.bar :focus-visible{outline-color:#fff;box-shadow:0 0 0 5px var(--brand-deep)}
.mark{width:42px;height:42px;border-radius:13px;background:rgba(255,255,255,.16);display:grid;place-items:center;flex:none}
.mark svg{width:24px;height:24px}
.name{flex:1;min-width:0}
.name h2{font-size:1.06em;font-weight:600;line-height:1.35;letter-spacing:.02em;overflow-wrap:anywhere}
.name p{font-size:13px;line-height:1.4;color:#dcf1ee;display:flex;align-items:center;gap:6px}
.large .name p{font-size:16px}
.dot{width:8px;height:8px;border-radius:50%;background:#7fe3b0;flex:none}
.dot.off{background:#ffd27a}
.tool{min-width:44px;min-height:44px;border-radius:12px;display:grid;place-items:center;padding:0 10px;font-size:15px;color:#fff}
.tool:hover{background:rgba(255,255,255,.14)}
.tool[aria-pressed=true]{background:#fff;color:var(--brand-deep);font-weight:600}
.urgent{display:flex;align-items:center;justify-content:center;gap:0 1em;flex-wrap:wrap;background:var(--danger-tint);color:var(--danger);
border-bottom:1px solid var(--danger-line);font-size:.88em;padding:0 14px;line-height:1.4}
.large .urgent{font-size:.8em}
.urgent span{padding:4px 0}
.urgent a{display:inline-flex;align-items:center;gap:.35em;min-height:44px;padding:0 4px;font-weight:600;color:var(--danger);text-decoration:underline;text-underline-offset:3px;white-space:nowrap}
.urgent svg{width:1.1em;height:1.1em}
.strip{padding:9px 18px;background:var(--warm-tint);color:var(--warm);border-bottom:1px solid var(--warm-line);font-size:.88em;line-height:1.5}
.menu{background:var(--paper);border-bottom:1px solid var(--line);padding:10px 14px;display:flex;flex-wrap:wrap;gap:8px;align-items:center}
.menu p{flex-basis:100%;font-size:.9em;color:var(--soft)}
.plain{min-height:44px;padding:6px 16px;border-radius:12px;border:1px solid var(--line);background:var(--paper);color:var(--brand-deep);font-size:.94em}
.plain:hover{background:var(--tint);border-color:var(--brand)}
.plain[aria-pressed=true]{background:var(--brand);color:#fff;border-color:var(--brand)}
.plain.stop{color:var(--danger);border-color:var(--danger-line)}
.middle{position:relative;flex:1;min-height:0;display:flex}
.log{position:relative;flex:1;overflow-y:auto;overscroll-behavior:contain;padding:18px 16px 8px;scroll-behavior:smooth}
.log:focus-visible{outline-offset:-4px}
.lines{max-width:780px;margin:0 auto;display:flex;flex-direction:column;gap:14px}
.time{align-self:center;font-size:13px;color:var(--soft);margin:4px 0 -4px}
.large .time,.large .state,.large .who{font-size:17px}
.line{display:flex;gap:10px;max-width:100%}
.line.patient{flex-direction:row-reverse}
.face{width:38px;height:38px;border-radius:50%;display:grid;place-items:center;flex:none;background:var(--tint);color:var(--brand);border:1px solid var(--line)}
.face svg{width:21px;height:21px}
.agent .face{background:var(--warm-tint);color:var(--warm);border-color:var(--warm-line)}
.words{min-width:0;max-width:min(84%,620px);display:flex;flex-direction:column;gap:8px;align-items:flex-start}
.patient .words{align-items:flex-end}
.who{font-size:13px;color:var(--soft);margin-bottom:-5px}
.bubble{padding:10px 15px;border-radius:5px 18px 18px 18px;background:var(--paper);border:1px solid var(--line);white-space:pre-wrap;
overflow-wrap:anywhere;word-break:break-word;box-shadow:0 1px 2px rgba(10,60,58,.05)}
.bubble a,.body a{color:var(--brand-deep);text-underline-offset:3px;white-space:nowrap}.danger .body a{color:var(--danger);font-weight:600}
.patient .bubble{border-radius:18px 5px 18px 18px;background:var(--mine);color:var(--mine-ink);border-color:transparent}
.contrast .patient .bubble{border-color:#000;border-width:2px}
.agent .bubble{border-color:var(--warm-line)}
.state{font-size:13px;color:var(--soft);display:flex;align-items:center;gap:8px;flex-wrap:wrap;justify-content:flex-end;margin-top:-4px}
.state.bad{color:var(--danger)}
.state button{min-height:44px;min-width:44px;padding:0 12px;border-radius:10px;border:1px solid var(--danger-line);background:var(--paper);color:var(--danger);font-weight:600}
.choices{display:flex;flex-wrap:wrap;gap:8px}
.choice{min-height:44px;padding:8px 17px;border-radius:22px;border:1.5px solid var(--brand);background:var(--paper);color:var(--brand-deep);text-align:left;
line-height:1.4;overflow-wrap:anywhere;text-decoration:none;display:inline-flex;align-items:center;gap:.4em}
.choice:hover{background:var(--tint)}
.choice:active{transform:translateY(1px)}
.choice[aria-disabled=true]{border-color:var(--line);color:#667977;background:transparent;cursor:default;transform:none}
.choice.chosen{background:var(--tint);border-color:var(--brand);color:var(--brand-deep);font-weight:600}
.rate{align-self:flex-start;min-height:44px;margin:-10px 0 -14px;padding:0 4px;font-size:13px;color:var(--soft)}
.rate button{min-height:44px;min-width:44px;padding:0 2px;text-decoration:underline;text-decoration-color:var(--line);text-underline-offset:3px}
.rate button:hover{color:var(--brand-deep)}.large .rate{font-size:17px}
.hint{font-size:.9em;color:var(--soft);margin:2px 0 -2px}
.starts{display:grid;grid-template-columns:repeat(3,minmax(0,1fr));gap:10px;width:100%}
.start{min-height:56px;display:flex;align-items:center;gap:.6em;padding:8px 14px;border-radius:14px;border:1px solid var(--line);background:var(--paper);
color:var(--ink);text-align:left;line-height:1.35;box-shadow:0 1px 2px rgba(10,60,58,.05)}
.start svg{color:var(--brand)}
.start:hover{border-color:var(--brand);background:var(--tint)}
.welcome .words{max-width:min(100%,620px);flex:1}
.card{align-self:stretch;max-width:640px;border-radius:16px;border:1px solid var(--line);background:var(--paper);overflow:hidden}
.card .head{display:flex;align-items:center;gap:.5em;padding:10px 16px;font-weight:600;border-bottom:1px solid var(--line);background:var(--tint);color:var(--brand-deep)}
.card .body{padding:12px 16px;white-space:pre-wrap;overflow-wrap:anywhere}
.card .choices{padding:0 16px 14px}
.danger{border:2px solid var(--danger)}
.danger .head{background:var(--danger);color:#fff;border:0;font-size:1.06em}
.danger .body{background:var(--danger-tint)}
.danger .choices{background:var(--danger-tint)}
.call{flex:1 1 12em;min-height:56px;display:flex;align-items:center;justify-content:center;gap:.5em;border-radius:14px;background:var(--danger);color:#fff;
font-size:1.2em;font-weight:700;text-decoration:none;padding:8px 16px;letter-spacing:.04em}
.call:hover{background:#8f1512}
.caution{border-color:var(--warm-line)}
.caution .head{background:var(--warm-tint);color:var(--warm);border-color:var(--warm-line)}
.receipt{border-style:solid;border-color:var(--brand)}
.receipt .body{border-top:0;font-variant-numeric:tabular-nums}
.notice:not(.card){align-self:center;max-width:92%;padding:6px 16px;border-radius:14px;background:#e4edec;color:#37504e;font-size:.88em;white-space:pre-wrap;overflow-wrap:anywhere;text-align:center}
.contrast .notice{background:#fff;border:1px solid #000;color:#000}
.picture{display:block;border:1px solid var(--line);border-radius:14px;overflow:hidden;background:#fff;max-width:100%}
.picture img{display:block;max-width:100%;height:auto;max-height:420px}
.dots{display:flex;gap:5px;padding:15px 16px}
.dots i{width:8px;height:8px;border-radius:50%;background:var(--brand);opacity:.35;animation:beat 1.2s infinite}
.dots i:nth-child(2){animation-delay:.18s}.dots i:nth-child(3){animation-delay:.36s}
@keyframes beat{0%,60%,100%{opacity:.3;transform:none}30%{opacity:1;transform:translateY(-3px)}}
.slow{font-size:.86em;color:var(--soft)}
.earlier{align-self:center}
.latest{position:absolute;left:50%;bottom:12px;transform:translateX(-50%);min-height:44px;padding:0 18px;border-radius:22px;background:var(--brand-deep);color:#fff;
font-size:.9em;box-shadow:0 4px 14px rgba(0,40,40,.25);display:flex;align-items:center;gap:.3em}
.write{padding:10px 14px calc(8px + env(safe-area-inset-bottom,0px));background:var(--paper);border-top:1px solid var(--line)}
.row{max-width:780px;margin:0 auto;display:flex;gap:10px;align-items:flex-end}
textarea{flex:1;min-width:0;resize:none;min-height:48px;max-height:9.5em;padding:10px 15px;border-radius:16px;border:1.5px solid #6f8a87;background:#fff;color:var(--ink);
line-height:1.6;font-size:max(16px,1em);overflow-y:auto}
textarea::placeholder{color:#5a706e;opacity:1}
textarea:focus-visible{outline:2px solid var(--focus);outline-offset:0;box-shadow:none;border-color:var(--focus)}
.go{min-width:48px;min-height:48px;padding:0 18px;border-radius:16px;background:var(--brand);color:#fff;display:flex;align-items:center;gap:.4em;font-weight:600;white-space:nowrap}
.go:hover{background:var(--brand-deep)}
.pick{min-width:48px;min-height:48px;border-radius:16px;border:1.5px solid #6f8a87;background:#fff;color:var(--brand-deep);display:grid;place-items:center}
.pick:hover{background:var(--tint)}
.go[aria-disabled=true]{background:#d3e0de;color:#4d6664;cursor:default}
.foot{max-width:780px;margin:5px auto 0;display:flex;gap:12px;justify-content:space-between;font-size:12.500px;line-height:1.5;color:var(--soft)}
.large .foot{font-size:15px}
.foot .bad{color:var(--danger);font-weight:600}
.launch{position:fixed;right:max(20px,env(safe-area-inset-right,0px));bottom:calc(20px + env(safe-area-inset-bottom,0px));z-index:2147483000;min-height:60px;padding:0 22px 0 18px;border-radius:30px;
background:var(--brand);color:#fff;display:flex;align-items:center;gap:.5em;font-weight:600;font-size:17px;box-shadow:0 8px 26px rgba(5,60,58,.32)}
.launch:hover{background:var(--brand-deep)}
.badge{position:absolute;top:-6px;right:-4px;min-width:26px;height:26px;border-radius:13px;padding:0 7px;background:var(--danger);color:#fff;border:2px solid #fff;font-size:14px;line-height:22px;text-align:center}
.float .panel{position:fixed;right:24px;bottom:24px;z-index:2147483001;width:410px;height:min(700px,calc(100vh - 48px));border-radius:20px;box-shadow:0 18px 60px rgba(4,50,48,.28);animation:rise .18s ease-out}
.float .panel.large{width:500px}
.float .starts{grid-template-columns:1fr 1fr}.float .large .name p{font-size:15px}
@keyframes rise{from{opacity:0;transform:translateY(14px)}}
@media (max-width:560px){
.float .panel,.float .panel.large{inset:0;top:0;left:0;right:0;bottom:auto;width:100%;height:var(--view,100vh);border-radius:0}
@supports (height:100dvh){.float .panel,.float .panel.large{height:var(--view,100dvh)}}
.words{max-width:calc(100% - 60px)}.patient .face{display:none}.patient .words{max-width:88%}
.welcome .words{max-width:none}.starts{grid-template-columns:1fr 1fr}.start{padding:8px 12px}
.log{padding:14px 12px 8px}.go{padding:0 14px}.bar{padding:10px 8px 10px 14px;gap:.5em}.tool{padding:0 8px}
.large .starts{grid-template-columns:1fr}.large .mark{display:none}
}
@media (max-width:350px){.mark{display:none}.large .tool{padding:0 5px}}
@media (prefers-contrast:more){:host{--line:#333;--soft:#1b1b1b;--ground:#fff}}
@media (forced-colors:active){.bubble,.card,.choice,.start,.go,.call,.launch,.notice{border:1px solid}}
@media (prefers-reduced-motion:reduce){*,*::before,*::after{animation:none!important;transition:none!important;scroll-behavior:auto!important}}
`;

  // ---- small helpers

  function el(tag, attributes) {
    const node = document.createElement(tag);
    Object.keys(attributes || {}).forEach(function (name) {
      const value = attributes[name];
      if (value === null || value === undefined || value === false) return;
      if (name === "text") node.textContent = value;
      else if (name === "onclick") node.addEventListener("click", value);
      else node.setAttribute(name, value === true ? "" : value);
    });
    for (let i = 2; i < arguments.length; i += 1) if (arguments[i]) node.appendChild(arguments[i]);
    return node;
  }

  function icon(name) {
    const picture = document.createElementNS(SVG, "svg");
    picture.setAttribute("viewBox", "0 0 24 24");
    picture.setAttribute("aria-hidden", "true");
    picture.setAttribute("focusable", "false");
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", ICONS[name] || ICONS.chat);
    picture.appendChild(path);
    return picture;
  }

  function randomId() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return Array.from(bytes, function (b) { return (b + 256).toString(16).slice(1); }).join("");
  }

  function length(text) {
    return Array.from(text).length; // as the server counts: 𠮷 is one
  }

  /** Give a promise of a picture small enough to send: an old browser sends the file as it is. */
  function fitted(file) {
    const known = PICTURE_KINDS.indexOf(file.type) >= 0;
    if ((known && file.size <= PICTURE_SMALL) || !window.createImageBitmap) return Promise.resolve(file);
    return createImageBitmap(file, { imageOrientation: "from-image" }).then(function (source) {
      const scale = Math.min(1, PICTURE_EDGE / Math.max(source.width, source.height));
      const canvas = el("canvas");
      canvas.width = Math.round(source.width * scale);
      canvas.height = Math.round(source.height * scale);
      const pen = canvas.getContext("2d");
      pen.fillStyle = "#fff";
      pen.fillRect(0, 0, canvas.width, canvas.height);
      pen.drawImage(source, 0, 0, canvas.width, canvas.height);
      return new Promise(function (done) { canvas.toBlob(done, "image/jpeg", 0.85); });
    }).catch(function () { return file; });
  }

  /** Text with the hospital's own numbers as links to call; its textContent is the text itself. */
  function callable(text, phones) {
    const part = document.createDocumentFragment();
    let rest = text;
    while (rest) {
      let at = -1;
      let found = "";
      phones.forEach(function (phone) {
        const place = rest.indexOf(phone);
        if (place >= 0 && (at < 0 || place < at)) { at = place; found = phone; }
      });
      if (at < 0) break;
      part.appendChild(document.createTextNode(rest.slice(0, at)));
      part.appendChild(el("a", { href: "tel:" + found, text: found }));
      rest = rest.slice(at + found.length);
    }
    part.appendChild(document.createTextNode(rest));
    return part;
  }

  /** 今天 14:05, on the hospital's clock whatever the telephone's zone is. */
  function timeText(iso, now) {
    const moment = new Date(Date.parse(iso) + SHANGHAI_MS);
    const today = new Date(now + SHANGHAI_MS);
    const days = Math.floor(today / 864e5) - Math.floor(moment / 864e5);
    const clock = String(moment.getUTCHours()).padStart(2, "0") + ":" + String(moment.getUTCMinutes()).padStart(2, "0");
    if (days === 0) return "今天 " + clock;
    if (days === 1) return "昨天 " + clock;
    const year = moment.getUTCFullYear() === today.getUTCFullYear() ? "" : moment.getUTCFullYear() + "年";
    return year + (moment.getUTCMonth() + 1) + "月" + moment.getUTCDate() + "日 " + clock;
  }

  /** localStorage, or memory where the browser forbids it. */
  const shelf = (function () {
    const memory = {};
    let disk = null;
    try {
      disk = window.localStorage;
      disk.setItem("daoyi-chat:try", "1");
      disk.removeItem("daoyi-chat:try");
    } catch (error) {
      disk = null;
    }
    return {
      get: function (name) {
        const raw = disk ? disk.getItem("daoyi-chat:" + name) : memory[name];
        try { return raw ? JSON.parse(raw) : null; } catch (error) { return null; }
      },
      set: function (name, value) {
        const raw = JSON.stringify(value);
        try { if (disk) disk.setItem("daoyi-chat:" + name, raw); else memory[name] = raw; } catch (error) { memory[name] = raw; }
      },
      drop: function (name) {
        if (disk) disk.removeItem("daoyi-chat:" + name);
        delete memory[name];
      },
      names: function (prefix) {
        const all = disk ? Object.keys(disk) : Object.keys(memory).map(function (n) { return "daoyi-chat:" + n; });
        return all.filter(function (n) { return n.indexOf("daoyi-chat:" + prefix) === 0; }).map(function (n) { return n.slice(11); });
      },
    };
  })();

  // ---- the line to the desk: session, WebSocket or long poll, an outbox that survives

  class Refusal extends Error {
    constructor(status, body) {
      const error = (body && body.error) || {};
      super(error.code || "http_" + status);
      this.status = status;
      this.code = error.code || "";
      this.words = error.message || "";
      this.seconds = error.retry_after || 0;
    }
  }

  class Link {
    /** `on` hears: lines(lines, reset), typing(bool), state(name), item(item), over(). */
    constructor(server, on) {
      this.server = server;
      this.on = on;
      this.seq = 0;
      this.read = 0; // the last line that stood on the screen
      this.told = "";
      this.items = [];
      this.live = false;
      this.failures = 0;
      this.sockets = 0; // sockets in a row that never opened
      this.socket = null;
      this.acks = {};
      this.timers = {};
      this.pumping = {};
      this.round = 0; // rises when everything before is void
      const online = () => { if (this.live) { this.failures = 0; this.sockets = 0; this.reconnect(0); this.retryAll(); } };
      const offline = () => { if (this.live) { this.drop(); this.state("offline"); } };
      const shown = () => { if (!document.hidden) this.probe(); };
      const elsewhere = (event) => { if (event.key === "daoyi-chat:session") this.sessionChanged(); };
      this.listeners = [[window, "online", online], [window, "offline", offline], [document, "visibilitychange", shown], [window, "storage", elsewhere]];
    }

    get session() { return shelf.get("session"); }

    start() {
      if (this.live) return;
      this.live = true;
      this.listeners.forEach(function (l) { l[0].addEventListener(l[1], l[2]); });
      shelf.names("out:").forEach((name) => {
        const item = shelf.get(name);
        if (!item || Date.now() - item.at > KEEP_UNSENT_MS) { shelf.drop(name); return; }
        item.state = "waiting";
        item.tries = 0;
        this.items.push(item);
      });
      this.items.sort(function (a, b) { return a.at - b.at; });
      if (this.session) this.open(); else this.state("ready");
      this.items.forEach((item) => this.on.item(item));
      this.pump();
    }

    stop() {
      this.live = false;
      this.listeners.forEach(function (l) { l[0].removeEventListener(l[1], l[2]); });
      this.drop();
      Object.keys(this.timers).forEach((name) => clearTimeout(this.timers[name]));
    }

    later(name, ms, call) {
      clearTimeout(this.timers[name]);
      this.timers[name] = setTimeout(call, ms);
    }

    state(name) {
      if (this.stateName === name) return;
      this.stateName = name;
      this.on.state(name);
      if (name === "online") this.retryAll(); // what gave up while the desk was away
    }

    async call(method, path, body, ms) {
      const session = this.session;
      const headers = {};
      if (session) headers.authorization = "Bearer " + session.token;
      const file = window.Blob && body instanceof Blob;
      if (body !== undefined) headers["content-type"] = file ? body.type : "application/json";
      const stop = window.AbortController ? new AbortController() : null;
      const timer = stop && setTimeout(function () { stop.abort(); }, ms || 15000);
      try {
        const response = await fetch(this.server + path, {
          method: method, headers: headers, credentials: "omit", cache: "no-store", signal: stop ? stop.signal : undefined,
          body: body === undefined || file ? body : JSON.stringify(body),
        });
        const read = await response.json().catch(function () { return null; });
        if (!response.ok) throw new Refusal(response.status, read);
        if (!read) throw new Error("no answer");
        return read;
      } finally {
        clearTimeout(timer);
      }
    }

    /** Give a session; several callers share one request. */
    ensureSession(renew) {
      if (this.session && !renew) return Promise.resolve();
      if (!this.opening) {
        this.opening = this.call("POST", "/chat/session").then((made) => {
          shelf.set("session", { token: made.token, expires: Date.parse(made.expires_at) });
          this.opening = null;
        }, (error) => { this.opening = null; throw error; });
      }
      return this.opening;
    }

    async open() {
      const round = this.round;
      this.state(navigator.onLine === false ? "offline" : "connecting");
      try {
        if (this.session && this.session.expires - Date.now() < RENEW_MS && this.session.expires > Date.now()) await this.ensureSession(true);
        const page = await this.call("GET", "/chat/lines?latest=" + FIRST_PAGE);
        if (round !== this.round || !this.live) return;
        this.failures = 0;
        this.opened = true;
        this.seq = page.lines.length ? page.lines[page.lines.length - 1].seq : 0;
        this.on.lines(page.lines, true);
        this.connect();
      } catch (error) {
        if (round !== this.round || !this.live) return;
        if (error instanceof Refusal && error.status === 401) this.sessionOver(); else this.reconnect();
      }
    }

    connect() {
      this.drop();
      if (!this.session) return;
      if (!window.WebSocket || this.sockets >= 2) { this.poll(); return; }
      const round = this.round;
      const socket = new WebSocket(this.server.replace(/^http/, "ws") + "/chat/socket?token=" + encodeURIComponent(this.session.token) + "&since=" + this.seq);
      this.socket = socket;
      let opened = false;
      this.later("opening", 8000, function () { if (!opened) socket.close(); });
      socket.onopen = () => {
        opened = true;
        this.sockets = 0;
        this.heard = Date.now();
        this.asked = 0;
        this.later("ping", PING_MS, () => this.ping());
      };
      socket.onmessage = (event) => {
        if (socket !== this.socket) return;
        this.failures = 0;
        this.heard = Date.now();
        this.state("online");
        this.receive(JSON.parse(event.data));
      };
      socket.onclose = (event) => {
        if (socket !== this.socket || round !== this.round) return;
        this.socket = null;
        if (event.code === SESSION_OVER) { this.sessionOver(); return; }
        if (!opened) this.sockets += 1;
        this.failAcks();
        this.reconnect();
      };
    }

    receive(message) {
      if (message.type === "line") this.take([message.line]);
      else if (message.type === "typing") this.on.typing(message.on);
      else if (message.type === "ack" && this.acks[message.client_id]) this.acks[message.client_id].resolve(message);
      else if (message.type === "error" && this.acks[message.client_id]) {
        this.acks[message.client_id].reject(new Refusal(message.status, { error: message }));
      }
    }

    /** Tell the desk what has come, what was on the screen, and whether the patient is typing. */
    tell(looked, typing) {
      if (looked) this.read = this.seq;
      const seen = { got: this.seq, read: Math.min(this.read, this.seq), typing: typing };
      const told = JSON.stringify(seen);
      if (told === this.told && !typing) return;
      this.told = told;
      if (this.socket && this.socket.readyState === 1) this.socket.send(JSON.stringify(Object.assign({ type: "seen" }, seen)));
      else if (this.session) this.call("POST", "/chat/seen", seen).catch(function () {}); // the next line tells it again
    }

    /** Lines come in order without gaps; one that is missing is fetched before anything after it is shown. */
    take(lines) {
      const fresh = lines.filter((line) => line.seq > this.seq);
      if (!fresh.length) return;
      if (fresh[0].seq !== this.seq + 1) { this.refetch(); return; }
      this.seq = fresh[fresh.length - 1].seq;
      this.on.lines(fresh, false);
    }

    async refetch() {
      if (this.fetching) return;
      this.fetching = true;
      const round = this.round;
      try {
        const page = await this.call("GET", "/chat/lines?since=" + this.seq);
        if (round === this.round) this.take(page.lines);
      } catch (error) {
        if (round === this.round) this.reconnect();
      } finally {
        this.fetching = false;
      }
    }

    async poll() {
      const round = this.round;
      const mine = (this.polling = {});
      const until = Date.now() + 30000; // then a socket is tried again
      while (this.live && round === this.round && this.polling === mine && Date.now() < until) {
        try {
          const page = await this.call("GET", "/chat/lines?since=" + this.seq + "&wait=" + (this.stateName === "online" ? 25 : 0), undefined, 40000);
          if (round !== this.round || this.polling !== mine) return;
          this.failures = 0;
          this.state("online");
          this.on.typing(page.typing);
          this.take(page.lines);
        } catch (error) {
          if (round !== this.round || this.polling !== mine) return;
          if (error instanceof Refusal && error.status === 401) this.sessionOver(); else this.reconnect();
          return;
        }
      }
      if (this.live && round === this.round && this.polling === mine) { this.sockets = 1; this.connect(); }
    }

    ping() {
      if (!this.socket) return;
      if (this.asked && this.heard < this.asked) { this.reconnect(0); return; } // the last one was never answered
      this.asked = Date.now();
      if (this.socket.readyState === 1) this.socket.send('{"type":"ping"}');
      this.later("ping", PING_MS, () => this.ping());
    }

    /** After sleep a dead socket still looks open: ask, and give it four seconds. */
    probe() {
      if (!this.live || !this.session) return;
      if (!this.socket || this.socket.readyState !== 1) { this.failures = 0; this.reconnect(0); return; }
      const asked = Date.now();
      this.socket.send('{"type":"ping"}');
      this.later("probe", 4000, () => { if (this.heard < asked) { this.drop(); this.reconnect(0); } });
    }

    drop() {
      const socket = this.socket;
      this.socket = null;
      this.polling = null;
      if (socket) { try { socket.close(); } catch (error) { /* it was closed already */ } }
      this.failAcks();
    }

    failAcks() {
      Object.keys(this.acks).forEach((id) => this.acks[id].reject(new Error("connection lost")));
    }

    reconnect(ms) {
      if (!this.live || !this.session) return;
      this.drop();
      this.on.typing(false);
      if (navigator.onLine === false) { this.state("offline"); return; } // the browser tells us when it is back
      this.state("connecting");
      const delay = DELAYS[Math.min(this.failures, DELAYS.length - 1)];
      this.failures += 1;
      this.later("reconnect", ms === undefined ? delay * (0.7 + 0.6 * Math.random()) : ms, () => {
        if (!this.live) return;
        if (this.opened) { this.connect(); this.pump(); } else this.open();
      });
    }

    sessionOver() {
      shelf.drop("session");
      this.items = this.items.filter(function (item) { return !item.button; });
      this.restart();
      this.state("ready");
      this.on.over();
      this.items.forEach((item) => this.on.item(item));
      this.pump();
    }

    /** Another tab of this browser began or ended the talk. */
    sessionChanged() {
      if (!this.live) return;
      const now = this.session ? this.session.token : "";
      if (now === this.token) return;
      if (!now) { this.forget(); return; }
      this.restart();
      this.open().then(() => this.pump());
    }

    restart() {
      this.round += 1;
      this.drop();
      this.seq = 0;
      this.read = 0;
      this.told = "";
      this.opened = false;
      this.on.lines([], true);
    }

    /** Leave the talk: nothing of it stays in this browser. */
    forget() {
      this.items = [];
      this.restart();
      this.state("ready");
    }

    end() {
      shelf.names("out:").forEach(shelf.drop);
      shelf.drop("session");
      this.forget();
    }

    async earlier(seq) {
      return (await this.call("GET", "/chat/lines?before=" + seq + "&latest=" + FIRST_PAGE)).lines;
    }

    async image(token) {
      const response = await fetch(this.server + "/chat/images/" + encodeURIComponent(token), { headers: { authorization: "Bearer " + this.session.token }, credentials: "omit" });
      if (!response.ok) throw new Refusal(response.status);
      return URL.createObjectURL(await response.blob());
    }

    // -- outbox

    send(content) {
      const item = Object.assign({ id: randomId(), at: Date.now(), state: "waiting", tries: 0 }, content);
      // A picture stays in memory only: a shared computer must not keep it.
      if (!item.picture) shelf.set("out:" + item.id, { id: item.id, at: item.at, text: item.text, button: item.button, title: item.title });
      this.items.push(item);
      this.on.item(item);
      this.pump();
    }

    retry(id) {
      this.items.forEach(function (item) { if (item.id === id) { item.state = "waiting"; item.tries = 0; item.words = ""; } });
      this.pump();
    }

    retryAll() {
      this.items.forEach(function (item) { if (item.state === "failed" && !item.final) { item.state = "waiting"; item.tries = 0; } });
      this.pump();
    }

    /** Forget an item: its line stands in the transcript, or the patient took it back. */
    discard(id) {
      shelf.drop("out:" + id);
      this.items = this.items.filter(function (item) {
        if (item.id === id) item.done = true;
        return item.id !== id;
      });
    }

    /** Send what waits, one after another, until the desk has said that it has it. No words wait behind a picture. */
    pump() {
      this.pumpLane("words", function (item) { return !item.picture; });
      this.pumpLane("pictures", function (item) { return item.picture; });
    }

    async pumpLane(lane, mine) {
      if (this.pumping[lane] || !this.live) return;
      this.pumping[lane] = true;
      try {
        for (;;) {
          const item = this.items.find(function (one) { return mine(one) && (one.state === "waiting" || one.state === "sending"); });
          if (!item || !this.live) break;
          if (navigator.onLine === false) { item.state = "waiting"; this.on.item(item); break; }
          item.state = "sending";
          this.on.item(item);
          const round = this.round;
          try {
            await this.ensureSession();
            if (!this.opened && !this.socket && round === this.round) await this.open();
            const ack = await this.deliver(item);
            if (round !== this.round) continue;
            item.state = "sent";
            item.seq = ack.seq;
            shelf.drop("out:" + item.id);
            this.on.item(item);
            this.items = this.items.filter(function (one) { return one !== item; });
          } catch (error) {
            if (round !== this.round || item.done) continue;
            const pause = this.failed(item, error);
            if (pause === null) continue;
            this.later(lane, pause, () => this.pump());
            break;
          }
        }
      } finally {
        this.pumping[lane] = false;
      }
    }

    /** Decide what a failure means: null = go on with the next item, else milliseconds to wait. */
    failed(item, error) {
      if (error instanceof Refusal && error.status === 401) { this.sessionOver(); return 0; }
      if (error instanceof Refusal && error.status === 429) {
        item.state = "waiting";
        item.words = error.words;
        this.on.item(item);
        return (error.seconds || 5) * 1000;
      }
      if (error instanceof Refusal && error.status < 500) {
        item.state = "failed";
        item.final = true;
        item.words = error.words;
        shelf.drop("out:" + item.id);
        this.on.item(item);
        return null;
      }
      item.tries += 1;
      item.state = item.tries >= TRIES ? "failed" : "waiting";
      item.words = "";
      this.on.item(item);
      return item.state === "failed" ? null : DELAYS[item.tries];
    }

    deliver(item) {
      if (item.picture) return this.call("POST", "/chat/pictures?client_id=" + item.id, item.picture, 60000);
      const body = { client_id: item.id };
      if (item.button) body.button = item.button; else body.text = item.text;
      if (!this.socket || this.socket.readyState !== 1 || item.tries) return this.call("POST", "/chat/messages", body);
      return new Promise((resolve, reject) => {
        const timer = setTimeout(function () { reject(new Error("no ack")); }, ACK_MS);
        const done = () => { clearTimeout(timer); delete this.acks[item.id]; };
        this.acks[item.id] = {
          resolve: function (ack) { done(); resolve(ack); },
          reject: function (error) { done(); reject(error); },
        };
        this.socket.send(JSON.stringify(Object.assign({ type: "message" }, body)));
      });
    }
  }

  // ---- what the patient sees

  class DaoyiChat extends HTMLElement {
    connectedCallback() {
      if (!this.shadowRoot) this.build();
      this.link = new Link((this.getAttribute("server") || HOME).replace(/\/$/, ""), {
        lines: (lines, reset) => this.showLines(lines, reset),
        typing: (on) => this.showTyping(on),
        state: (name) => this.showState(name),
        item: (item) => this.showItem(item),
        over: () => this.showOver(),
      });
      this.looked = () => this.tellSeen();
      document.addEventListener("visibilitychange", this.looked);
      this.loadWelcome();
      if (this.full || this.link.session) this.link.start();
      if (window.visualViewport) {
        this.fit = () => this.style.setProperty("--view", window.visualViewport.height + "px");
        window.visualViewport.addEventListener("resize", this.fit);
      }
    }

    disconnectedCallback() {
      this.link.stop();
      document.removeEventListener("visibilitychange", this.looked);
      if (this.fit) window.visualViewport.removeEventListener("resize", this.fit);
    }

    get full() { return this.getAttribute("mode") === "full"; }

    build() {
      const root = this.attachShadow({ mode: "open" });
      if ("adoptedStyleSheets" in Document.prototype && "replaceSync" in CSSStyleSheet.prototype) {
        const sheet = new CSSStyleSheet();
        sheet.replaceSync(STYLE);
        root.adoptedStyleSheets = [sheet];
      } else {
        root.appendChild(el("link", { rel: "stylesheet", href: (this.getAttribute("server") || HOME) + "/chat/daoyi-chat.css" }));
      }
      this.welcome = { phones: {}, suggestions: [], max_characters: 4000 };
      this.phones = [];
      this.nodes = {}; // client id → node that is not yet in the transcript
      this.open_groups = [];
      this.unread = 0;
      this.person = false; // a person answered last: only then does the desk want to know what was read
      this.typed = 0;
      this.first = 0;
      this.lastAt = "";

      this.title_ = el("h2", { text: "智能客服" });
      this.dot = el("span", { class: "dot off", "aria-hidden": "true" });
      this.status = el("span", { text: "正在连接" });
      this.largeButton = el("button", { class: "tool", type: "button", text: "大字", "aria-pressed": "false", title: "放大文字", onclick: () => this.setLarge(!this.large) });
      this.menuButton = el("button", { class: "tool", type: "button", text: "设置", "aria-expanded": "false", onclick: () => this.toggleMenu() });
      const minimise = this.full ? null : el("button", { class: "tool", type: "button", "aria-label": "收起对话", onclick: () => this.minimise() }, icon("down"));
      const bar = el("div", { class: "bar" }, el("div", { class: "mark" }, icon("chat")),
        el("div", { class: "name" }, this.title_, el("p", {}, this.dot, this.status)), this.largeButton, this.menuButton, minimise);

      this.contrastButton = el("button", { class: "plain", type: "button", text: "高对比显示", "aria-pressed": "false", onclick: () => this.setContrast(!this.contrast) });
      this.endButton = el("button", { class: "plain stop", type: "button", text: "结束对话", onclick: () => this.askEnd(true) });
      this.endYes = el("button", { class: "plain stop", type: "button", text: "确定结束", hidden: true, onclick: () => this.end() });
      this.endNo = el("button", { class: "plain", type: "button", text: "继续对话", hidden: true, onclick: () => this.askEnd(false) });
      this.endWords = el("p", { text: "结束后，这台设备上将清除本次对话。在公用电脑上咨询后，请记得结束对话。" });
      this.menu = el("div", { class: "menu", hidden: true }, this.contrastButton, this.endButton, this.endYes, this.endNo, this.endWords);

      this.urgent = el("div", { class: "urgent" }, el("span", { text: "紧急请拨打" }));
      this.strip = el("p", { class: "strip", hidden: true });
      this.offline = el("p", { class: "strip", hidden: true, role: "status" });
      this.lines = el("div", { class: "lines" });
      this.log = el("div", { class: "log", role: "log", "aria-live": "polite", "aria-label": "对话记录", tabindex: "0" }, this.lines);
      this.following = true; // until the patient scrolls up to read
      this.log.addEventListener("scroll", () => {
        if (this.atEnd()) { this.following = true; this.latest.hidden = true; } else if (this.log.scrollTop < this.lastTop - 2) this.following = false;
        this.lastTop = this.log.scrollTop;
      });
      if (window.ResizeObserver) new ResizeObserver(() => { if (this.following) this.toEnd(true); }).observe(this.log);
      this.latest = el("button", { class: "latest", type: "button", hidden: true, onclick: () => this.toEnd() }, icon("down"), el("span", { text: "有新消息" }));
      this.typing = el("div", { class: "line bot", hidden: true, "aria-hidden": "true" }, this.face("bot"),
        el("div", { class: "words" }, el("div", { class: "bubble dots" }, el("i"), el("i"), el("i")), (this.slow = el("span", { class: "slow", hidden: true }))));
      this.earlier = el("button", { class: "plain earlier", type: "button", text: "查看更早的消息", hidden: true, onclick: () => this.loadEarlier() });
      this.greeting = el("div", { class: "line bot welcome" });
      this.lines.appendChild(this.earlier);
      this.lines.appendChild(this.greeting);
      this.lines.appendChild(this.typing);

      this.input = el("textarea", { rows: "1", "aria-label": "请输入您的问题", placeholder: "请输入您的问题", enterkeyhint: "send", autocomplete: "off", "aria-describedby": "count" });
      this.input.addEventListener("keydown", (event) => this.key(event));
      this.input.addEventListener("compositionstart", () => { this.composing = true; });
      this.input.addEventListener("compositionend", () => { this.composing = false; });
      this.input.addEventListener("input", () => { this.grow(); this.tellTyping(); });
      this.input.addEventListener("paste", (event) => {
        const files = Array.from((event.clipboardData && event.clipboardData.files) || []).filter(function (file) { return /^image\//.test(file.type); });
        if (!files.length) return;
        event.preventDefault();
        this.sendPictures(files);
      });
      this.files = el("input", { type: "file", accept: "image/*", multiple: true, hidden: true, "aria-hidden": "true", tabindex: "-1" });
      this.files.addEventListener("change", () => { this.sendPictures(Array.from(this.files.files)); this.files.value = ""; });
      const pick = el("button", { class: "pick", type: "button", "aria-label": "添加图片", title: "添加图片，也可以粘贴", onclick: () => this.files.click() }, icon("picture"));
      this.go = el("button", { class: "go", type: "button", "aria-label": "发送", "aria-disabled": "true", onclick: () => this.submit() }, icon("send"), el("span", { text: "发送" }));
      this.note = el("span", { text: "" });
      this.count = el("span", { id: "count" });
      const write = el("div", { class: "write" }, el("div", { class: "row" }, this.input, this.files, pick, this.go), el("div", { class: "foot" }, this.note, this.count));
      this.say = el("div", { class: "quiet", role: "status" });
      this.warn = el("div", { class: "quiet", role: "alert" });

      this.panel = el("div", { class: "panel" }, bar, this.urgent, this.menu, this.strip, this.offline, el("div", { class: "middle" }, this.log, this.latest), write, this.say, this.warn);
      this.badge = el("span", { class: "badge", hidden: true });
      this.launch = el("button", { class: "launch", type: "button", "aria-expanded": "false", onclick: () => this.open() }, icon("chat"), el("span", { text: "智能客服" }), this.badge);
      this.frame = el("section", { class: this.full ? "frame" : "frame float", "aria-label": "智能客服对话" }, this.full ? null : this.launch, this.panel);
      this.frame.addEventListener("keydown", (event) => { if (event.key === "Escape" && !event.isComposing && !this.composing) this.escape(event); });
      root.appendChild(this.frame);
      this.panel.hidden = !this.full;
      this.lastTop = 0;
      this.setLarge(shelf.get("large") === true);
      this.setContrast(shelf.get("contrast") === true);
    }

    // -- opening, closing, settings

    open() {
      this.panel.hidden = false;
      this.launch.hidden = true;
      this.launch.setAttribute("aria-expanded", "true");
      this.setUnread(0);
      this.link.start();
      this.tellSeen();
      this.toEnd();
      this.input.focus();
    }

    minimise() {
      if (this.full) return;
      this.panel.hidden = true;
      this.launch.hidden = false;
      this.launch.setAttribute("aria-expanded", "false");
      this.launch.focus();
    }

    escape(event) {
      event.stopPropagation();
      if (!this.menu.hidden) { this.toggleMenu(); this.menuButton.focus(); } else this.minimise();
    }

    setUnread(count) {
      this.unread = count;
      if (!this.badge) return;
      this.badge.hidden = count === 0;
      this.badge.textContent = count > 99 ? "99+" : String(count);
      if (count) this.launch.setAttribute("aria-label", "智能客服，" + count + "条新消息"); else this.launch.removeAttribute("aria-label");
    }

    setLarge(on) {
      this.large = on;
      this.panel.classList.toggle("large", on);
      this.largeButton.setAttribute("aria-pressed", String(on));
      shelf.set("large", on);
      this.grow();
    }

    setContrast(on) {
      this.contrast = on;
      this.panel.classList.toggle("contrast", on);
      this.contrastButton.setAttribute("aria-pressed", String(on));
      shelf.set("contrast", on);
    }

    toggleMenu() {
      this.menu.hidden = !this.menu.hidden;
      this.menuButton.setAttribute("aria-expanded", String(!this.menu.hidden));
      this.askEnd(false, true);
    }

    askEnd(asking, quiet) {
      this.endButton.hidden = asking;
      this.endYes.hidden = this.endNo.hidden = !asking;
      if (!quiet) (asking ? this.endNo : this.endButton).focus();
    }

    end() {
      this.link.end();
      this.toggleMenu();
      this.say.textContent = "对话已结束，本机记录已清除。";
      this.input.focus();
    }

    // -- first page

    async loadWelcome() {
      try {
        this.welcome = await this.link.call("GET", "/chat/config");
      } catch (error) {
        setTimeout(() => { if (this.isConnected) this.loadWelcome(); }, 5000);
        return;
      }
      const welcome = this.welcome;
      this.phones = Object.keys(welcome.phones).map(function (name) { return welcome.phones[name]; });
      this.title_.textContent = welcome.service;
      this.frame.setAttribute("aria-label", welcome.service);
      this.input.placeholder = "请输入您的问题";
      this.note.textContent = welcome.notice;
      this.strip.hidden = !welcome.banner;
      this.strip.textContent = welcome.banner || "";
      while (this.urgent.childNodes.length > 1) this.urgent.removeChild(this.urgent.lastChild);
      this.urgent.appendChild(el("a", { href: "tel:120" }, icon("phone"), el("span", { text: "120" })));
      if (welcome.phones.emergency) {
        this.urgent.appendChild(el("a", { href: "tel:" + welcome.phones.emergency }, icon("phone"), el("span", { text: "急诊 " + welcome.phones.emergency })));
      }
      const starts = el("div", { class: "starts", role: "group", "aria-label": "常用服务" });
      welcome.suggestions.forEach((one) => {
        starts.appendChild(el("button", { class: "start", type: "button", onclick: () => this.link.send({ text: one.text }) }, icon(one.icon), el("span", { text: one.title })));
      });
      this.greeting.textContent = "";
      this.greeting.appendChild(this.face("bot"));
      this.greeting.appendChild(el("div", { class: "words" }, el("span", { class: "quiet", text: "智能客服：" }), el("div", { class: "bubble", text: welcome.greeting }), el("p", { class: "hint", text: "您可以直接输入问题，也可以点选：" }), starts));
      this.showState(this.link.stateName || "ready");
    }

    showState(name) {
      const words = { online: "人工智能助手 · 在线", ready: "人工智能助手 · 在线", connecting: "正在连接", offline: "网络已断开" };
      this.status.textContent = words[name];
      this.dot.className = name === "online" || name === "ready" ? "dot" : "dot off";
      clearTimeout(this.stateTimer);
      const bad = name === "offline" || name === "connecting";
      const tell = () => {
        this.offline.hidden = !bad;
        this.offline.textContent = !bad ? "" : name === "offline" ? "网络已断开。您可以继续输入，网络恢复后会自动发送。" : "正在重新连接，您的消息会在连接后自动发送。";
      };
      if (bad && name === "connecting") this.stateTimer = setTimeout(tell, 2500); else tell();
    }

    showOver() {
      this.insert(el("div", { class: "notice", text: "您上次的对话已经结束，为保护您的隐私，之前的内容已收起。您可以继续提问，我会重新为您服务。" }));
    }

    // -- lines

    clear() {
      Array.from(this.lines.children).forEach((node) => {
        if (node !== this.earlier && node !== this.greeting && node !== this.typing) this.lines.removeChild(node);
      });
      this.nodes = {};
      this.open_groups = [];
      this.lastAt = "";
      this.first = 0;
      this.earlier.hidden = true;
      this.greeting.hidden = false;
      this.delivered = this.rated = null;
    }

    showLines(lines, reset) {
      const follow = reset || this.following || lines.some(function (line) { return line.kind === "danger"; });
      if (reset) {
        this.log.setAttribute("aria-live", "off"); // what was said before is not read out again
        const kept = this.link.items.slice();
        this.clear();
        this.first = lines.length ? lines[0].seq : 0;
        this.earlier.hidden = this.first <= 1;
        this.greeting.hidden = this.first > 1;
        lines.forEach((line) => this.addLine(line, false));
        kept.forEach((item) => this.showItem(item));
        this.link.token = this.link.session ? this.link.session.token : "";
        setTimeout(() => this.log.setAttribute("aria-live", "polite"), 500);
      } else {
        lines.forEach((line) => this.addLine(line, true));
        const heard = lines.filter(function (line) { return line.sender !== "patient"; }).length;
        if (heard && this.panel.hidden) this.setUnread(this.unread + heard);
      }
      const answers = lines.filter(function (line) { return line.sender === "bot" || line.sender === "agent"; });
      if (answers.length) this.person = answers[answers.length - 1].sender === "agent";
      this.tellSeen();
      if (follow) this.toEnd(reset); else if (lines.some(function (line) { return line.sender !== "patient"; })) this.latest.hidden = false;
    }

    tellSeen(typing) {
      if (this.person) this.link.tell(!document.hidden && !this.panel.hidden, typing === true);
    }

    /** While he types the desk is told every few seconds, and once when the box is empty again. */
    tellTyping() {
      const writes = this.input.value.trim() !== "";
      if (writes ? Date.now() - this.typed < TYPING_MS : !this.typed) return;
      this.typed = writes ? Date.now() : 0;
      this.tellSeen(writes);
    }

    addLine(line, fresh) {
      const pending = line.client_id && line.sender === "patient" ? this.nodes[line.client_id] : null;
      if (pending) {
        pending.node.parentNode.removeChild(pending.node);
        delete this.nodes[line.client_id];
        this.link.discard(line.client_id);
      }
      this.closeGroups(line);
      this.addTime(line.at);
      const node = this.lineNode(line, fresh);
      this.insert(node, true);
      if (line.sender === "patient" && fresh) this.markDelivered(node);
      if (fresh && line.kind === "danger") this.warn.textContent = line.text;
    }

    /** Put a node after the transcript and before what has not been delivered yet. */
    insert(node, transcript) {
      let before = this.typing;
      if (transcript) {
        const waiting = this.lines.querySelector(".pending");
        if (waiting) before = waiting;
      }
      this.lines.insertBefore(node, before);
    }

    addTime(at) {
      if (this.lastAt && Date.parse(at) - Date.parse(this.lastAt) < NEW_TIME_MS) return;
      this.lastAt = at;
      this.insert(el("time", { class: "time", datetime: at, text: timeText(at, Date.now()) }), true);
    }

    face(sender) {
      return el("div", { class: "face", "aria-hidden": "true" }, icon(sender === "bot" ? "chat" : sender === "agent" ? "doctor" : "person"));
    }

    lineNode(line, fresh) {
      if (line.sender === "system") return this.systemNode(line, fresh);
      const words = el("div", { class: "words" });
      const name = { patient: "您", bot: "智能客服", agent: "人工客服 " + (line.name === "人工客服" ? "" : line.name || "") }[line.sender];
      if (line.sender === "agent") words.appendChild(el("span", { class: "who", text: name.trim() }));
      else words.appendChild(el("span", { class: "quiet", text: name + "：" }));
      if (line.text && !(line.image && line.sender === "patient")) {
        const bubble = el("div", { class: "bubble" });
        if (line.sender === "patient") bubble.textContent = line.text; else bubble.appendChild(callable(line.text, this.phones));
        words.appendChild(bubble);
      }
      if (line.image) words.appendChild(this.pictureNode(line.image));
      if (line.buttons && line.buttons.length) words.appendChild(this.choices(line));
      if (line.unhelpful !== undefined) words.appendChild(this.rating(line));
      return el("div", { class: "line " + line.sender, "data-seq": line.seq }, this.face(line.sender), words);
    }

    /** 没有帮助: one tap, thanks, and a person who wants one. One for an answer of several lines, below the last. */
    rating(line) {
      const box = el("div", { class: "rate" });
      const thank = () => { box.textContent = "谢谢，我们会改进。"; };
      const given = this.rated;
      if (given && given.at === line.at && given.box.parentNode) given.box.parentNode.removeChild(given.box);
      this.rated = { at: line.at, box: box };
      if (line.unhelpful) { thank(); return box; }
      const button = el("button", { type: "button", text: "没有帮助" });
      button.addEventListener("click", async () => {
        if (button.getAttribute("aria-disabled") === "true") return;
        button.setAttribute("aria-disabled", "true");
        try {
          await this.link.call("POST", "/chat/unhelpful", { seq: line.seq });
        } catch (error) {
          button.removeAttribute("aria-disabled");
          this.say.textContent = "刚才没有记下，请再点一次。";
          return;
        }
        thank();
        this.say.textContent = box.textContent;
        const person = el("button", { type: "button", text: "转人工" });
        person.addEventListener("click", () => { box.removeChild(person); this.input.focus(); this.link.send({ text: "转人工" }); });
        box.appendChild(person);
        person.focus();
      });
      box.appendChild(button);
      return box;
    }

    systemNode(line) {
      const kind = line.kind || "notice";
      if (kind === "notice" && !line.buttons) return el("div", { class: "notice", "data-seq": line.seq, text: line.text });
      const head = { danger: ["alert", "紧急提示"], caution: ["alert", "安全提醒"], receipt: ["receipt", "办理凭证"], notice: ["voice", "温馨提示"] }[kind];
      const body = el("div", { class: "body" });
      body.appendChild(callable(line.text, this.phones));
      const card = el("div", { class: "card " + kind, "data-seq": line.seq, role: "group", "aria-label": head[1] }, el("div", { class: "head" }, icon(head[0]), el("span", { text: head[1] })), body);
      if (line.buttons && line.buttons.length) card.appendChild(this.choices(line));
      return card;
    }

    choices(line) {
      const box = el("div", { class: "choices", role: "group", "aria-label": "请选择" });
      const lasting = line.sender === "system" && line.kind === "notice"; // an offer stays open whatever is said meanwhile
      const group = { at: line.at, seq: line.seq, box: box, lasting: lasting };
      line.buttons.forEach((one) => box.appendChild(this.choice(one, group)));
      if (line.buttons.some(function (one) { return one.token; })) this.open_groups.push(group);
      return box;
    }

    choice(one, group) {
      const address = one.url || one.uri || "";
      if (/^(tel:|https?:\/\/)/i.test(address)) {
        const call = /^tel:/i.test(address);
        const link = el("a", { class: call ? "call" : "choice", href: address }, call ? icon("phone") : null, el("span", { text: one.title }));
        if (!call) { link.setAttribute("target", "_blank"); link.setAttribute("rel", "noopener noreferrer"); }
        return link;
      }
      const button = el("button", { class: "choice", type: "button", text: one.title });
      button.addEventListener("click", () => {
        if (button.getAttribute("aria-disabled") === "true") return;
        if (one.token) { this.closeGroup(group, one.title); this.link.send({ button: one.token, title: one.title }); } else this.link.send({ text: one.title });
        this.toEnd();
      });
      return button;
    }

    /** A choice is over when it was made, or when the desk has spoken again after it. */
    closeGroups(line) {
      const chosen = line.sender === "patient" ? line.text : "";
      this.open_groups = this.open_groups.filter((group) => {
        const titles = Array.from(group.box.children, function (node) { return node.textContent; });
        const over = !group.lasting && ((line.sender === "bot" && line.at !== group.at) || line.sender === "agent" || line.kind === "danger");
        const made = chosen && titles.indexOf(chosen) >= 0;
        if (over || made) this.closeGroup(group, chosen);
        return !over && !made;
      });
    }

    closeGroup(group, chosen) {
      Array.from(group.box.querySelectorAll("button")).forEach(function (button) {
        button.setAttribute("aria-disabled", "true");
        if (chosen && button.textContent === chosen) { button.classList.add("chosen"); button.setAttribute("aria-label", button.textContent + "（已选）"); }
      });
    }

    pictureNode(image) {
      const picture = el("img", { alt: image.alt || "图片" });
      const frame = el("a", { class: "picture", target: "_blank", rel: "noopener", "aria-label": (image.alt || "图片") + "，查看大图" }, picture);
      this.link.image(image.token).then((address) => {
        picture.addEventListener("load", () => { if (this.following) this.toEnd(true); });
        picture.src = address;
        frame.href = address;
      }, function () { frame.textContent = "图片暂时没有显示出来，请刷新页面再看。"; });
      return frame;
    }

    async loadEarlier() {
      let lines;
      try {
        lines = await this.link.earlier(this.first);
      } catch (error) {
        this.say.textContent = "更早的消息暂时没有加载出来，请稍后再试。";
        return;
      }
      const height = this.log.scrollHeight;
      const open = this.open_groups.slice();
      const part = document.createDocumentFragment();
      let last = "";
      lines.forEach((line) => {
        if (!last || Date.parse(line.at) - Date.parse(last) >= NEW_TIME_MS) {
          last = line.at;
          part.appendChild(el("time", { class: "time", datetime: line.at, text: timeText(line.at, Date.now()) }));
        }
        part.appendChild(this.lineNode(line));
      });
      this.open_groups.forEach((group) => { if (open.indexOf(group) < 0) this.closeGroup(group, ""); });
      this.open_groups = open;
      Array.from(part.querySelectorAll(".choices button")).forEach(function (button) { button.setAttribute("aria-disabled", "true"); });
      this.lines.insertBefore(part, this.greeting.nextSibling);
      this.first = lines.length ? lines[0].seq : 1;
      this.earlier.hidden = this.first <= 1;
      this.greeting.hidden = this.first > 1;
      this.log.scrollTop += this.log.scrollHeight - height;
    }

    // -- the patient's own messages on their way

    showItem(item) {
      let entry = this.nodes[item.id];
      if (item.done) return; // its line is there already
      if (!entry) {
        const state = el("div", { class: "state" });
        const bubble = el("div", { class: "bubble", text: item.title || item.text || "（图片）" });
        const words = el("div", { class: "words" }, el("span", { class: "quiet", text: "您：" }), bubble, state);
        entry = { node: el("div", { class: "line patient pending", "data-client": item.id }, this.face("patient"), words), state: state };
        this.nodes[item.id] = entry;
        this.insert(entry.node);
        this.toEnd();
      }
      this.paintState(entry, item);
    }

    paintState(entry, item) {
      const box = entry.state;
      const waiting = navigator.onLine === false ? "等待网络，恢复后自动发送" : item.tries ? "正在重新发送" : "发送中";
      const words = { waiting: item.words || waiting, sending: item.tries ? "正在重新发送" : "发送中", sent: "已送达", failed: item.words || "未送达" }[item.state];
      box.textContent = "";
      box.className = item.state === "failed" ? "state bad" : "state";
      box.appendChild(el("span", { text: words, "aria-hidden": "true" }));
      if (item.state !== "failed") return;
      this.say.textContent = "消息未送达：" + words;
      if (item.final) {
        box.appendChild(el("button", { type: "button", text: item.picture ? "取消" : "修改", onclick: () => this.takeBack(item, entry) }));
      } else {
        box.appendChild(el("button", { type: "button", text: "重试", onclick: () => this.link.retry(item.id) }));
      }
    }

    takeBack(item, entry) {
      this.link.discard(item.id);
      delete this.nodes[item.id];
      this.lines.removeChild(entry.node);
      if (item.text) this.input.value = item.text + this.input.value;
      this.grow();
      this.input.focus();
    }

    markDelivered(node) {
      if (this.delivered && this.delivered.parentNode) this.delivered.parentNode.removeChild(this.delivered);
      this.delivered = el("div", { class: "state" }, el("span", { text: "已送达", "aria-hidden": "true" }));
      node.querySelector(".words").appendChild(this.delivered);
    }

    // -- writing

    key(event) {
      // An input method uses Enter to take its candidate: 229 is what a keydown says while it composes.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing || this.composing || event.keyCode === 229) return;
      event.preventDefault();
      this.submit();
    }

    grow() {
      const input = this.input;
      input.style.height = "auto";
      if (input.scrollHeight) input.style.height = input.scrollHeight + 3 + "px";
      const most = this.welcome.max_characters;
      const used = length(input.value);
      this.count.textContent = used > most * 0.85 ? used + " / " + most : "";
      this.count.className = used > most ? "bad" : "";
      this.go.setAttribute("aria-disabled", String(!input.value.trim() || used > most));
    }

    submit() {
      const text = this.input.value;
      if (!text.trim()) return;
      if (length(text) > this.welcome.max_characters) {
        this.say.textContent = "内容超过" + this.welcome.max_characters + "字了，请分成几段发送。";
        return;
      }
      this.input.value = "";
      this.grow();
      this.tellTyping();
      if (!this.menu.hidden) this.toggleMenu();
      this.link.send({ text: text });
      this.input.focus();
    }

    async sendPictures(files) {
      for (const file of files) {
        const picture = await fitted(file);
        if (picture && picture.size <= PICTURE_MOST && PICTURE_KINDS.indexOf(picture.type) >= 0) {
          this.link.send({ picture: picture });
        } else {
          const words = "这张图片没有发出，请您换一张手机照片或截图（不超过5兆），再试一次好吗？";
          this.insert(el("div", { class: "notice", text: words }));
          this.say.textContent = words;
          this.toEnd();
        }
      }
      this.input.focus();
    }

    showTyping(on) {
      if (on === !this.typing.hidden) return;
      this.typing.hidden = !on;
      this.slow.hidden = true;
      clearTimeout(this.slowTimer);
      this.say.textContent = on ? "智能客服正在回复" : "";
      if (on) {
        this.slowTimer = setTimeout(() => {
          const desk = this.welcome.phones.desk;
          this.slow.textContent = "咨询的人较多，正在为您处理，请稍等" + (desk ? "；也可以拨打客服中心 " + desk : "") + "。";
          this.slow.hidden = false;
          if (this.following) this.toEnd();
        }, SLOW_MS);
      }
      if (on && this.following) this.toEnd();
    }

    atEnd() {
      return this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < 120;
    }

    toEnd(atOnce) {
      this.latest.hidden = true;
      this.following = true;
      requestAnimationFrame(() => {
        if (atOnce) this.log.style.scrollBehavior = "auto";
        this.log.scrollTop = this.log.scrollHeight;
        this.log.style.scrollBehavior = "";
      });
    }
  }

  customElements.define("daoyi-chat", DaoyiChat);
})();

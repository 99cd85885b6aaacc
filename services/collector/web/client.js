/* Tellback for web pages: posts answers with a publishable key, and keeps them in localStorage until they are taken.
 *
 *   <script src="https://collector.example/v1/client.js" data-key="pk_..."></script>
 *   tellback.setAccount("acme");
 *   tellback.setUser({ id: "ann", email: "ann@acme.example" });
 *   const answer = tellback.respond({ score: 9 });      // at once, also without a connection
 *   answer.sent.then((taken) => ...);                    // once the collector has it
 *   tellback.amend(answer.response_id, { comment: "Always on time." });
 *
 * An answer gets its response_id when it is given, and every try carries the same one: it counts once. */
(function () {
  "use strict";
  if (window.tellback) return;

  var SCRIPT = document.currentScript;
  var MAX_QUEUED = 200;
  var KEPT_MS = 30 * 24 * 3600 * 1000;
  var AMENDABLE_MS = 24 * 3600 * 1000;
  var FIRST_DELAY_MS = 1000;
  var LONGEST_DELAY_MS = 5 * 60 * 1000;

  var settings = { key: "", url: "" };
  var identity = {};
  var attributes = {};
  var waiting = {};
  var memory = {};
  var delay = FIRST_DELAY_MS;
  var timer = null;
  var running = null;

  // Private windows may refuse localStorage: then answers wait in memory, as long as the page is open.
  function read(name) {
    var text = memory[name];
    try {
      text = window.localStorage.getItem(slot(name)) || text;
      return text ? JSON.parse(text) : null;
    } catch (error) {
      return text ? JSON.parse(text) : null;
    }
  }

  function write(name, value) {
    var text = JSON.stringify(value);
    try {
      window.localStorage.setItem(slot(name), text);
      delete memory[name];
    } catch (error) {
      memory[name] = text;
    }
  }

  function slot(name) {
    return "tellback:" + settings.key.slice(0, 15) + ":" + name;
  }

  function queue() {
    var found = read("queue");
    var oldest = Date.now() - KEPT_MS;
    return Array.isArray(found) ? found.filter(function (item) { return item && item.at > oldest; }) : [];
  }

  function put(item) {
    var items = queue();
    items.push(item);
    write("queue", items.slice(-MAX_QUEUED));
  }

  function drop(id) {
    write("queue", queue().filter(function (item) { return item.id !== id; }));
  }

  function tokens() {
    var found = read("tokens") || {};
    Object.keys(found).forEach(function (id) {
      if (found[id].at < Date.now() - AMENDABLE_MS) delete found[id];
    });
    return found;
  }

  function keepToken(item, answer) {
    if (!answer.amend_token) return;
    var known = tokens();
    known[answer.response_id] = { token: answer.amend_token, account_id: item.body.account_id, at: Date.now() };
    write("tokens", known);
  }

  function uuid() {
    if (window.crypto.randomUUID) return window.crypto.randomUUID();
    var bytes = window.crypto.getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 15) | 64;
    bytes[8] = (bytes[8] & 63) | 128;
    var hex = Array.prototype.map.call(bytes, function (byte) { return (byte + 256).toString(16).slice(1); }).join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  }

  function request(item) {
    var headers = { "content-type": "application/json", authorization: "Bearer " + settings.key };
    if (item.signature) headers["tellback-signature"] = item.signature;
    if (item.kind === "response") {
      return call("POST", "/v1/responses", headers, item.body);
    }
    var known = tokens()[item.response_id];
    if (!known) return Promise.resolve({ final: true, error: new Error("tellback: can no longer be amended") });
    headers["idempotency-key"] = item.id;
    var body = Object.assign({ account_id: known.account_id, amend_token: known.token }, item.body);
    return call("PATCH", "/v1/responses/" + encodeURIComponent(item.response_id), headers, body);
  }

  function call(method, path, headers, body) {
    var options = { method: method, headers: headers, body: JSON.stringify(body), keepalive: true, credentials: "omit" };
    return window.fetch(settings.url + path, options).then(judge, function () { return { final: false }; });
  }

  // What the collector will never take is final; anything else is tried again.
  function judge(response) {
    var retryAfter = 1000 * Number(response.headers.get("retry-after") || 0);
    if (response.status >= 500 || response.status === 429 || response.status === 408) {
      return { final: false, retryAfter: retryAfter };
    }
    return response.json().then(
      function (answer) {
        if (response.ok) return { final: true, answer: answer };
        var error = new Error("tellback: " + (answer.detail || response.status));
        error.code = answer.code;
        error.status = response.status;
        error.errors = answer.errors || [];
        return { final: true, error: error };
      },
      function () { return { final: response.status >= 400 && response.status < 500, error: new Error("tellback") }; }
    );
  }

  // A clock that runs ahead must not cost the answer: it is then dated by the collector.
  function misdated(item, result) {
    var errors = (result.error && result.error.errors) || [];
    return Boolean(item.body.answered_at) && errors.some(function (one) { return one.field === "answered_at"; });
  }

  function next() {
    var item = queue()[0];
    if (!item) return Promise.resolve();
    return request(item).then(function (result) {
      if (!result.final) return later(result.retryAfter);
      delay = FIRST_DELAY_MS;
      if (result.error && misdated(item, result)) {
        delete item.body.answered_at;
        write("queue", queue().map(function (one) { return one.id === item.id ? item : one; }));
        return next();
      }
      if (result.answer) keepToken(item, result.answer);
      drop(item.id);
      settle(item.id, result);
      return next();
    });
  }

  function settle(id, result) {
    var one = waiting[id];
    delete waiting[id];
    if (!one) return;
    if (result.answer) one.resolve(result.answer);
    else one.reject(result.error);
  }

  function later(retryAfter) {
    clearTimeout(timer);
    timer = setTimeout(flush, Math.max(delay * (0.5 + Math.random()), retryAfter || 0));
    delay = Math.min(2 * delay, LONGEST_DELAY_MS);
  }

  // One tab at a time where the browser has locks; without them a resend is recognised by its id.
  function flush() {
    if (running || !settings.key) return running || Promise.resolve();
    clearTimeout(timer);
    var locks = window.navigator.locks;
    var work = locks && locks.request ? locks.request(slot("sending"), next) : next();
    running = Promise.resolve(work).then(function () { running = null; }, function () { running = null; later(0); });
    return running;
  }

  function promised(item) {
    var sent = new Promise(function (resolve, reject) { waiting[item.id] = { resolve: resolve, reject: reject }; });
    sent.catch(function () {}); // who does not ask is not told
    put(item);
    // What is put while a round is ending needs another one.
    (running || Promise.resolve()).then(flush);
    return sent;
  }

  function need(value, what) {
    if (!value) throw new Error("tellback: " + what);
  }

  var tellback = {
    init: function (options) {
      settings.key = options.key || settings.key;
      settings.url = (options.url || settings.url).replace(/\/+$/, "");
      flush();
      return tellback;
    },
    setAccount: function (id) { identity.account_id = String(id); },
    setUser: function (user) {
      delete identity.stakeholder_id;
      delete identity.email;
      if (typeof user !== "object") user = { id: user };
      if (user.id) identity.stakeholder_id = String(user.id);
      if (user.email) identity.email = String(user.email);
    },
    setUserId: function (id) { tellback.setUser({ id: id, email: identity.email }); },
    setSignature: function (signature) { identity.signature = signature; },
    setLanguage: function (language) { identity.language = language; },
    setAttribute: function (name, value) { attributes[name] = value; },
    setAttributes: function (values) { Object.assign(attributes, values); },
    logout: function () { identity = {}; attributes = {}; },

    /* Give an answer: {score, survey_type, comment, touchpoint, ...}, the fields of POST /v1/responses. Returns its
     * response_id and a promise of the collector's answer. */
    respond: function (answer) {
      need(settings.key, "init({key}) comes first");
      var body = Object.assign({ survey_type: "nps", channel: "web", answered_at: new Date().toISOString() }, identity);
      var signature = body.signature;
      delete body.signature;
      if (Object.keys(attributes).length) body.attributes = Object.assign({}, attributes);
      Object.assign(body, answer);
      body.response_id = body.response_id || uuid();
      need(body.account_id, "setAccount() comes first");
      need(body.stakeholder_id || body.email, "setUser() comes first");
      var item = { kind: "response", id: body.response_id, body: body, signature: signature, at: Date.now() };
      return { response_id: body.response_id, sent: promised(item) };
    },

    /* Add or change comment and answers of an answer of this browser, for 24 hours. */
    amend: function (responseId, changes) {
      need(settings.key, "init({key}) comes first");
      var item = { kind: "amendment", id: uuid(), response_id: responseId, body: changes, at: Date.now() };
      return { response_id: responseId, sent: promised(item) };
    },

    flush: flush,
    pending: function () { return queue().length; }
  };

  window.tellback = tellback;
  window.addEventListener("online", function () { delay = FIRST_DELAY_MS; flush(); });
  document.addEventListener("visibilitychange", function () { flush(); });
  if (SCRIPT) {
    settings.url = SCRIPT.getAttribute("data-url") || new URL(SCRIPT.src).origin;
    if (SCRIPT.getAttribute("data-key")) tellback.init({ key: SCRIPT.getAttribute("data-key") });
  }
})();

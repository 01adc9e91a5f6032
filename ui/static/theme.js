/* The pages beside the chat: dark where the chat was made so, or else where the system is. Runs before the first paint. */
"use strict";
(() => {
  let chosen = null;
  try { chosen = localStorage.getItem("gw-theme"); } catch { /* private window */ }
  document.documentElement.classList.toggle("dark", chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches);
})();

// Show the cases that pass every filter. Without this script all of them are shown.
const form = document.querySelector("form.filters");
const cases = [...document.querySelectorAll(".case")];
const shown = document.querySelector("#shown");

function filter() {
  const words = form.elements.words.value.trim().toLowerCase();
  let count = 0;
  for (const item of cases) {
    const fits = ["suite", "kind", "verdict"].every((name) => {
      const wanted = form.elements[name].value;
      const has = item.dataset[name];
      return !wanted || wanted === has || (wanted === "failed" && has !== "right");
    });
    item.hidden = !(fits && (!words || item.textContent.toLowerCase().includes(words)));
    count += item.hidden ? 0 : 1;
  }
  shown.textContent = `${count} of ${cases.length} cases`;
}

if (form) {
  form.hidden = false;
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  filter();
}

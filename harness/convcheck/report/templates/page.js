"use strict";
document.documentElement.classList.add("js");
const findings = [...document.querySelectorAll(".finding")];
const choices = [...document.querySelectorAll("#filter select")];
const count = document.querySelector("#filter output");

function values(finding, name) {
  return finding.dataset[name].split("\n").filter(Boolean);
}

function apply() {
  let left = 0;
  for (const finding of findings) {
    finding.hidden = !choices.every((c) => !c.value || values(finding, c.name).includes(c.value));
    left += !finding.hidden;
  }
  count.textContent = `${left} of ${findings.length} shown`;
}

for (const choice of choices) {
  const some = new Set(findings.flatMap((finding) => values(finding, choice.name)));
  choice.append(...[...some].sort().map((value) => new Option(value, value)));
  choice.disabled = some.size < 2;
  choice.addEventListener("change", apply);
}
if (count) apply();

async function copy(source) {
  try {
    await navigator.clipboard.writeText(source.textContent);
  } catch {
    getSelection().selectAllChildren(source);
    document.execCommand("copy");
  }
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button.copy");
  if (!button) return;
  await copy(button.parentElement.querySelector("code"));
  button.textContent = "copied";
  setTimeout(() => { button.textContent = "copy"; }, 1500);
});

function openTarget() {
  const target = location.hash && document.getElementById(location.hash.slice(1));
  const folded = target && target.querySelector("details");
  if (folded) folded.open = true;
}
addEventListener("hashchange", openTarget);
openTarget();

let folded = [];
addEventListener("beforeprint", () => {
  folded = [...document.querySelectorAll("details:not([open])")];
  for (const one of folded) one.open = true;
});
addEventListener("afterprint", () => { for (const one of folded) one.open = false; });

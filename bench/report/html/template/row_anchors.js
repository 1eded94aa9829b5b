// A link to #task--strategy shows the strategy's row in the ranking of its task, once DataTables has drawn the table.
const markRow = () => {
  document.querySelectorAll("tr.linked").forEach(row => row.classList.remove("linked"));
  const anchor = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!anchor?.matches(".row-anchor")) return false;
  const rows = anchor.parentElement.querySelectorAll("table.dataTable tbody tr");
  const row = [...rows].find(each => each.cells[0]?.textContent === anchor.dataset.row);
  row?.classList.add("linked");
  row?.scrollIntoView({ block: "center" });
  return Boolean(row);
};
addEventListener("hashchange", markRow);
if (location.hash) {
  const drawn = new MutationObserver(() => markRow() && drawn.disconnect());
  drawn.observe(document.body, { childList: true, subtree: true });
  setTimeout(() => drawn.disconnect(), 30000);
}

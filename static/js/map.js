// The map of pickup points: drawMap() puts it together, the page's templates say what stands on it.
const section = document.getElementById("carte");
const words = section.dataset;
const wide = matchMedia("(min-width: 60rem)");
let chart = null;

const template = ({ options }) => document.getElementById(`carte-${options.slug}`);

function openMap() {
  section.open = true;
  chart ??= draw();
}

function draw() {
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  L.Map.mergeOptions({ zoomAnimation: !still, fadeAnimation: !still });
  const { map, tiles, markers } = drawMap();
  const shown = markers.getLayers().filter(template);
  markers.clearLayers();
  shown.forEach(dress);
  markers.addLayers(shown);
  markers.options.iconCreateFunction = group;
  L.control.zoom({ position: "bottomleft", zoomInTitle: words.zoomIn, zoomOutTitle: words.zoomOut }).addTo(map);
  map.attributionControl.setPrefix(false);
  const room = { paddingTopLeft: [24, 48], paddingBottomRight: [24, 8], maxZoom: 13 }; // a pin stands above its place
  // at once: what is pressed while a map zooms is lost
  if (shown.length) map.fitBounds(markers.getBounds(), { ...room, animate: false });
  if (tiles) showTiles(tiles, map);
  markers.addTo(map);
  return { map, markers, shown };
}

// Until the first tile is there, one that fails says that there are none.
function showTiles(tiles, map) {
  const note = document.getElementById("sans-fond");
  tiles.on("tileerror", () => (note.hidden = false));
  tiles.once("tileload", () => {
    tiles.off("tileerror");
    note.hidden = true;
  });
  tiles.addTo(map);
}

function dress(marker) {
  const [pin, bubble] = template(marker).content.cloneNode(true).children;
  marker.setIcon(L.divIcon({ className: "", html: pin, iconSize: [44, 44], iconAnchor: [22, 42], popupAnchor: [0, -36] }));
  marker.bindPopup(bubble, { maxWidth: 260, minWidth: 200 });
  marker.on("popupopen", ({ popup }) => {
    popup.getElement().querySelector(".leaflet-popup-close-button").setAttribute("aria-label", words.closeBubble);
    bubble.focus({ preventScroll: true });
  });
  marker.on("popupclose", () => {
    const lost = document.activeElement === document.body || bubble.contains(document.activeElement);
    if (lost) marker.getElement()?.focus({ preventScroll: true });
  });
}

// Points that lie too close together to be told apart.
function group(cluster) {
  const pin = document.getElementById("carte-groupe").content.firstElementChild.cloneNode(true);
  const [number, label] = pin.children;
  number.textContent = cluster.getChildCount();
  label.textContent = words.group.replace("%n", cluster.getChildCount());
  const mine = cluster.getAllChildMarkers().some((marker) => "mine" in template(marker).dataset);
  pin.classList.toggle("pin-group-mine", mine);
  return L.divIcon({ className: "", html: pin, iconSize: [44, 44] });
}

// Leaflet's own keys leave out Escape within a bubble, and the space bar.
section.addEventListener("keydown", (event) => {
  if (event.key === "Escape") chart?.map.closePopup();
  const pin = event.target.closest(".leaflet-marker-icon");
  if (event.key !== " " || !pin) return;
  event.preventDefault();
  if (pin.querySelector(".pin-group")) chart.map.getContainer().focus(); // the group goes when it opens
  pin.click();
});

for (const button of document.querySelectorAll("[data-locate]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    openMap();
    if (!wide.matches) section.scrollIntoView();
    const marker = chart.shown.find(({ options }) => options.slug === button.dataset.locate);
    if (marker) chart.markers.zoomToShowLayer(marker, () => marker.openPopup());
  });
}

section.addEventListener("toggle", () => section.open && openMap());
const openWhereThereIsRoom = () => wide.matches && openMap();
wide.addEventListener("change", openWhereThereIsRoom);
openWhereThereIsRoom();

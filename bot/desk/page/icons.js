// The few signs of the rail, drawn by hand on a grid of 24.

const PATHS = {
  talks: "M4 5h16v11H9l-5 4z",
  tickets: "M6 3h9l4 4v14H6zM14 3v5h5M9 12h7M9 16h7",
  tasks: "M4 6l2 2 3-4M4 14l2 2 3-4M12 7h8M12 15h8",
  live: "M3 13h4l3-8 4 14 3-6h4",
  reports: "M4 20V4M4 20h16M8 16v-5M12 16V7M16 16v-3",
  shift: "M4 8h13l-3-3M20 16H7l3 3",
  replies: "M4 5h16v11H9l-5 4zM8 9h8M8 12h5",
  people: "M12 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM5 20c0-4 3-6 7-6s7 2 7 6",
  audit: "M12 3l8 3v6c0 5-3.5 8-8 9-4.5-1-8-4-8-9V6zM9 12l2 2 4-4",
  stops: "M5 6h14v14H5zM5 10h14M9 3v4M15 3v4M9 15h6",
};

export function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const made = document.createElementNS(space, "svg");
  made.setAttribute("viewBox", "0 0 24 24");
  made.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(space, "path");
  path.setAttribute("d", PATHS[name]);
  made.append(path);
  return made;
}

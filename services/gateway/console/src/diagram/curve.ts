/** Lines of drawings. */

export type Point = { x: number; y: number };

/** A smooth line through the points: each is the corner of a curve between the middles beside it. */
export function curve(points: Point[]): string {
  const [first, ...rest] = points;
  const last = rest.pop();
  if (!first || !last) return "";
  let path = `M${first.x} ${first.y}`;
  rest.forEach((point, index) => {
    const next = rest[index + 1] ?? last;
    const end = index === rest.length - 1 ? last : { x: (point.x + next.x) / 2, y: (point.y + next.y) / 2 };
    path += `Q${point.x} ${point.y} ${end.x} ${end.y}`;
  });
  return rest.length === 0 ? `${path}L${last.x} ${last.y}` : path;
}

/** A binary heap: the first item by a given order, in logarithmic time. */
export class Heap<Item> {
  private readonly items: Item[] = [];
  private readonly isBefore: (a: Item, b: Item) => boolean;

  constructor(isBefore: (a: Item, b: Item) => boolean) {
    this.isBefore = isBefore;
  }

  push(item: Item): void {
    let at = this.items.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = this.items[parent] as Item;
      if (!this.isBefore(item, above)) break;
      this.items[at] = above;
      at = parent;
    }
    this.items[at] = item;
  }

  /** Removes and returns the first item; undefined when there is none. */
  pop(): Item | undefined {
    const first = this.items[0];
    const last = this.items.pop();
    if (last === undefined || this.items.length === 0) return last;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.items.length) break;
      const right = this.items[child + 1];
      if (right !== undefined && this.isBefore(right, this.items[child] as Item)) child++;
      const below = this.items[child] as Item;
      if (!this.isBefore(below, last)) break;
      this.items[at] = below;
      at = child;
    }
    this.items[at] = last;
    return first;
  }
}

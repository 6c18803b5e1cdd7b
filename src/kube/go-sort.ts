/**
 * Go's `sort.Sort`, step by step: kubectl sorts with it, and among equal items its order is that of its steps. It is the
 * pattern-defeating quicksort of Go 1.19 and later.
 */

/** Whether an item comes before another one. It need be no order: `sort.Sort` ends with any. */
export type Less<Item> = (a: Item, b: Item) => boolean;

/** The items, sorted. */
export function goSort<Item>(items: readonly Item[], less: Less<Item>): Item[] {
  const sorted = [...items];
  if (sorted.length > 1) new Sorter(sorted, less).sort(0, sorted.length, bitsOf(sorted.length));
  return sorted;
}

/** Up to so many items are sorted by insertion. */
const FEW = 12;
/** From here on the pivot is the median of medians, and a few misplaced items are shifted. */
const MANY = 50;
/** How many pairs out of order are shifted before a quicksort is quicker. */
const MOST_SHIFTS = 5;
/** The swaps of a choice of pivot for which everything was in the opposite order. */
const MOST_SWAPS = 12;

class Sorter<Item> {
  readonly #items: Item[];
  readonly #isLess: Less<Item>;
  #swaps = 0;

  constructor(items: Item[], isLess: Less<Item>) {
    this.#items = items;
    this.#isLess = isLess;
  }

  /** Sorts the items from `a` up to `b`. After `limit` bad pivots a heap sorts them. */
  sort(a: number, b: number, limit: number): void {
    let [isBalanced, isPartitioned] = [true, true];
    for (;;) {
      const length = b - a;
      if (length <= FEW) return this.#insert(a, b);
      if (limit === 0) return this.#heapSort(a, b);
      if (!isBalanced) {
        this.#scatter(a, b);
        limit -= 1;
      }
      let { pivot, swaps } = this.#choosePivot(a, b);
      if (swaps === MOST_SWAPS) {
        this.#reverse(a, b);
        pivot = b - 1 - (pivot - a);
        swaps = 0;
      }
      if (isBalanced && isPartitioned && swaps === 0 && this.#shiftFew(a, b)) return;
      if (a > 0 && !this.#less(a - 1, pivot)) {
        a = this.#partitionEqual(a, b, pivot);
        continue;
      }
      const parts = this.#partition(a, b, pivot);
      isPartitioned = parts.isPartitioned;
      const [left, right] = [parts.middle - a, b - parts.middle];
      isBalanced = Math.min(left, right) >= Math.floor(length / 8);
      if (left < right) {
        this.sort(a, parts.middle, limit);
        a = parts.middle + 1;
      } else {
        this.sort(parts.middle + 1, b, limit);
        b = parts.middle;
      }
    }
  }

  #less(i: number, j: number): boolean {
    return this.#isLess(this.#items[i] as Item, this.#items[j] as Item);
  }

  #swap(i: number, j: number): void {
    const item = this.#items[i] as Item;
    this.#items[i] = this.#items[j] as Item;
    this.#items[j] = item;
  }

  #insert(a: number, b: number): void {
    for (let i = a + 1; i < b; i += 1) {
      for (let j = i; j > a && this.#less(j, j - 1); j -= 1) this.#swap(j, j - 1);
    }
  }

  #heapSort(a: number, b: number): void {
    const length = b - a;
    for (let i = Math.floor((length - 1) / 2); i >= 0; i -= 1) this.#siftDown(i, length, a);
    for (let i = length - 1; i >= 0; i -= 1) {
      this.#swap(a, a + i);
      this.#siftDown(0, i, a);
    }
  }

  #siftDown(root: number, end: number, first: number): void {
    for (;;) {
      let child = 2 * root + 1;
      if (child >= end) return;
      if (child + 1 < end && this.#less(first + child, first + child + 1)) child += 1;
      if (!this.#less(first + root, first + child)) return;
      this.#swap(first + root, first + child);
      root = child;
    }
  }

  /** Moves what is less than the pivot before it, and everything else behind it. */
  #partition(a: number, b: number, pivot: number) {
    this.#swap(a, pivot);
    let [i, j] = [a + 1, b - 1];
    const skip = () => {
      while (i <= j && this.#less(i, a)) i += 1;
      while (i <= j && !this.#less(j, a)) j -= 1;
    };
    skip();
    const isPartitioned = i > j;
    while (i <= j) {
      this.#swap(i, j);
      i += 1;
      j -= 1;
      skip();
    }
    this.#swap(j, a);
    return { middle: j, isPartitioned };
  }

  /** Moves what equals the pivot to the beginning; nothing is less. Returns where the rest begins. */
  #partitionEqual(a: number, b: number, pivot: number): number {
    this.#swap(a, pivot);
    let [i, j] = [a + 1, b - 1];
    for (;;) {
      while (i <= j && !this.#less(a, i)) i += 1;
      while (i <= j && this.#less(a, j)) j -= 1;
      if (i > j) return i;
      this.#swap(i, j);
      i += 1;
      j -= 1;
    }
  }

  /** Shifts a few items that are out of order. Returns whether everything is sorted then. */
  #shiftFew(a: number, b: number): boolean {
    let i = a + 1;
    for (let shifts = 0; shifts < MOST_SHIFTS; shifts += 1) {
      while (i < b && !this.#less(i, i - 1)) i += 1;
      if (i === b) return true;
      if (b - a < MANY) return false;
      this.#swap(i, i - 1);
      if (i - a >= 2) {
        for (let j = i - 1; j >= 1 && this.#less(j, j - 1); j -= 1) this.#swap(j, j - 1);
      }
      if (b - i >= 2) {
        for (let j = i + 1; j < b && this.#less(j, j - 1); j += 1) this.#swap(j, j - 1);
      }
    }
    return false;
  }

  /** Moves three items elsewhere, against patterns that make bad pivots. The same each time: the length is the seed. */
  #scatter(a: number, b: number): void {
    const length = b - a;
    let random = BigInt(length);
    const mask = 2n ** BigInt(bitsOf(length)) - 1n;
    const middle = a + Math.floor(length / 4) * 2;
    for (let at = middle - 1; at <= middle + 1; at += 1) {
      random = BigInt.asUintN(64, random ^ (random << 13n));
      random ^= random >> 7n;
      random = BigInt.asUintN(64, random ^ (random << 17n));
      const other = Number(random & mask);
      this.#swap(at, a + (other >= length ? other - length : other));
    }
  }

  #choosePivot(a: number, b: number): { pivot: number; swaps: number } {
    const quarter = Math.floor((b - a) / 4);
    this.#swaps = 0;
    let [i, j, k] = [a + quarter, a + quarter * 2, a + quarter * 3];
    if (b - a >= MANY) {
      i = this.#median(i - 1, i, i + 1);
      j = this.#median(j - 1, j, j + 1);
      k = this.#median(k - 1, k, k + 1);
    }
    return { pivot: this.#median(i, j, k), swaps: this.#swaps };
  }

  #median(a: number, b: number, c: number): number {
    [a, b] = this.#ordered(a, b);
    [b, c] = this.#ordered(b, c);
    [a, b] = this.#ordered(a, b);
    return b;
  }

  #ordered(a: number, b: number): [number, number] {
    if (!this.#less(b, a)) return [a, b];
    this.#swaps += 1;
    return [b, a];
  }

  #reverse(a: number, b: number): void {
    for (let [i, j] = [a, b - 1]; i < j; i += 1, j -= 1) this.#swap(i, j);
  }
}

/** How many bits a number has. */
function bitsOf(number: number): number {
  return 32 - Math.clz32(number);
}

/** Many requests of one command, a few at a time. */

const CONCURRENT = 8;

/** The result for each item, in the items' order; eight are under way at a time. The first failure is thrown. */
export async function mapConcurrent<Item, Result>(
  items: readonly Item[],
  ask: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  const left = items.entries();
  const work = async () => {
    for (const [at, item] of left) results[at] = await ask(item);
  };
  await Promise.all(Array.from({ length: Math.min(CONCURRENT, items.length) }, work));
  return results;
}

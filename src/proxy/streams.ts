/** The answers that are under way: counted, passed on as fast as they are read, and ended when the proxy ends. */

type Bytes = Uint8Array<ArrayBuffer>;

/** The answers under way. */
export interface OpenStreams {
  /**
   * Passes a body on, part by part.
   *
   * @param isWatch it may end anywhere without being taken for something whole that it is not
   * @param ended told once, with the number of bytes that were passed on
   */
  pass(body: ReadableStream<Bytes>, isWatch: boolean, ended: (bytes: number) => void): ReadableStream<Bytes>;
  /** Ends the watches. */
  endWatches(): void;
  /** Breaks everything else off, so that nobody takes half an answer for the whole. */
  breakOff(): void;
}

/** None yet. */
export function openStreams(): OpenStreams {
  const open = new Set<{ readonly isWatch: boolean; readonly stop: () => void }>();
  return {
    pass(body, isWatch, ended) {
      const reader = body.getReader();
      let bytes = 0;
      let isOver = false;
      /** Does the last thing that happens to a stream. */
      const end = (last: () => void) => {
        if (isOver) return;
        isOver = true;
        open.delete(one);
        last();
        ended(bytes);
      };
      let stop = () => {};
      const one = { isWatch, stop: () => stop() };
      open.add(one);
      return new ReadableStream<Bytes>({
        start(controller) {
          stop = () => {
            end(() => isWatch ? controller.close() : controller.error(new Error("the proxy has ended")));
            void reader.cancel().catch(() => {});
          };
        },
        async pull(controller) {
          try {
            const { done, value } = await reader.read();
            if (isOver) return;
            if (done) return end(() => controller.close());
            bytes += value.length;
            controller.enqueue(value);
          } catch (thrown) {
            end(() => controller.error(thrown));
          }
        },
        async cancel() {
          end(() => {});
          await reader.cancel().catch(() => {});
        },
      }, { highWaterMark: 0 });
    },
    endWatches() {
      for (const one of open) if (one.isWatch) one.stop();
    },
    breakOff() {
      for (const one of open) one.stop();
    },
  };
}

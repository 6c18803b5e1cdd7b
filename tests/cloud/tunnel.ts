/** A tunnel on this machine: another port at which a server answers, as an SSH forward or a proxy has it. */

/** A running tunnel. */
export interface Tunnel extends AsyncDisposable {
  readonly port: number;
  /** How many connections came. */
  readonly connections: number;
}

/** Leads every connection to a port of this machine, once `begin` has spoken to the client. */
export function startTunnel(to: number, begin?: (client: Deno.Conn) => Promise<void>): Tunnel {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<Deno.Conn>();
  let connections = 0;
  const serve = async (client: Deno.Conn) => {
    await begin?.(client);
    const server = await Deno.connect({ hostname: "127.0.0.1", port: to });
    open.add(server);
    await Promise.allSettled([
      client.readable.pipeTo(server.writable),
      server.readable.pipeTo(client.writable),
    ]);
  };
  const accepting = (async () => {
    for await (const client of listener) {
      connections++;
      open.add(client);
      serve(client).catch(() => {});
    }
  })();
  return {
    port: listener.addr.port,
    get connections() {
      return connections;
    },
    async [Symbol.asyncDispose]() {
      listener.close();
      for (const connection of open) {
        try {
          connection.close();
        } catch {
          // Its stream closed it.
        }
      }
      await accepting.catch(() => {});
    },
  };
}

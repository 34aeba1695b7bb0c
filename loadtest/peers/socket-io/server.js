// One instance of Socket.IO: everybody is in one room, and what is POSTed to /pub goes to all of it, at every instance.

import { createServer } from "node:http";
import { createAdapter } from "@socket.io/redis-streams-adapter";
import { createClient } from "redis";
import { Server } from "socket.io";

const [port, redisPort] = process.argv.slice(2).map(Number);

const redis = createClient({ url: `redis://127.0.0.1:${redisPort}` });
await redis.connect();

const http = createServer(async (request, response) => {
  let body = "";
  for await (const part of request) body += part;
  io.to("class").emit("patch", JSON.parse(body));
  response.writeHead(204).end();
});

const io = new Server(http, { transports: ["websocket"], adapter: createAdapter(redis) });
io.on("connection", (socket) => socket.join("class"));

http.listen(port, "127.0.0.1");
for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => process.exit());

/** Proves how it is told who uses a terminal, from what the system's own programs print, and in real terminals. */

import assert from "node:assert/strict";
import { useIn } from "../../src/system/terminal-use.ts";

const GNU = `speed 38400 baud; rows 24; columns 80; line = 0;
intr = ^C; quit = ^\\; erase = ^?; kill = ^U; eof = ^D; eol = <undef>; eol2 = <undef>; swtch = <undef>;
-parenb -parodd -cmspar cs8 -hupcl -cstopb cread -clocal -crtscts
-ignbrk -brkint -ignpar -parmrk -inpck -istrip -inlcr -igncr icrnl ixon -ixoff -iuclc -ixany -imaxbel iutf8
opost -olcuc -ocrnl onlcr -onocr -onlret -ofill -ofdel nl0 cr0 tab0 bs0 vt0 ff0
isig icanon iexten echo echoe echok -echonl -noflsh -xcase -tostop -echoprt echoctl echoke -flusho -extproc
`;
const MACOS = `speed 9600 baud; 24 rows; 80 columns;
lflags: icanon isig iexten echo echoe -echok echoke -echonl echoctl
	-echoprt -altwerase -noflsh -tostop -flusho pendin -nokerninfo
	-extproc
iflags: -istrip icrnl -inlcr -igncr ixon -ixoff ixany imaxbel iutf8
`;

Deno.test("a terminal is used by a full-screen program, by another group, or by nobody but us", () => {
  for (const text of [GNU, MACOS]) {
    assert.deepEqual(useIn(`${text} 412  412\n`), { raw: false, elsewhere: false });
    assert.deepEqual(useIn(`${text}  412   7\n`), { raw: false, elsewhere: true });
    const raw = text.replace(/\bicanon\b/, "-icanon");
    assert.deepEqual(useIn(`${raw}412 412\n`), { raw: true, elsewhere: false });
    assert.deepEqual(useIn(`${raw}412 7\n`), { raw: true, elsewhere: true });
    // No ps that knows the columns, and a process without a terminal of its own.
    assert.deepEqual(useIn(raw), { raw: true, elsewhere: false });
    assert.deepEqual(useIn(`${text}412 -1\n`), { raw: false, elsewhere: false });
    assert.deepEqual(useIn(`${text}412 0\n`), { raw: false, elsewhere: false });
  }
  assert.deepEqual(useIn(""), { raw: false, elsewhere: false });
});

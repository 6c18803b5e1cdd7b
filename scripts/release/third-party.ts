/** The licences of all that the program embeds, as they ask to be passed on. */

import { licenceTexts, type NpmPackage } from "./packages.ts";

/** The text of THIRD-PARTY-LICENSES.txt. */
export async function thirdPartyLicences(packages: readonly NpmPackage[]): Promise<string> {
  const parts = [HEADER, part(`Deno ${Deno.version.deno}, the runtime`, "MIT", [DENO])];
  parts.push(part(`V8 ${Deno.version.v8}, the JavaScript engine of the runtime`, "BSD-3-Clause", [V8]));
  for (const one of packages.filter(({ embedded }) => embedded)) {
    const texts = await licenceTexts(one);
    if (texts.length === 0) {
      throw new Error(`${one.name}@${one.version} comes without the text of its licence.`);
    }
    parts.push(part(`${one.name} ${one.version}`, one.licence, texts));
  }
  return parts.join("\n");
}

function part(title: string, licence: string, texts: readonly string[]): string {
  const line = "=".repeat(title.length);
  return `${title}\n${line}\nLicence: ${licence}\n\n${texts.join("\n\n").replaceAll("\r\n", "\n")}\n`;
}

const HEADER =
  `datumctl is licensed under the Apache License 2.0, see LICENSE. The program embeds what is listed here.

The runtime is Deno's, as published. Its own source names what it is built from, Rust crates and ICU among them:
https://github.com/denoland/deno/blob/v${Deno.version.deno}/Cargo.lock
`;

const DENO = `MIT License

Copyright 2018-2026 the Deno authors

Permission is hereby granted, free of charge, to any person obtaining a copy of
this software and associated documentation files (the "Software"), to deal in
the Software without restriction, including without limitation the rights to
use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of
the Software, and to permit persons to whom the Software is furnished to do so,
subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS
FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER
IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN
CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.`;

const V8 = `Copyright 2014, the V8 project authors. All rights reserved.
Redistribution and use in source and binary forms, with or without
modification, are permitted provided that the following conditions are
met:

    * Redistributions of source code must retain the above copyright
      notice, this list of conditions and the following disclaimer.
    * Redistributions in binary form must reproduce the above
      copyright notice, this list of conditions and the following
      disclaimer in the documentation and/or other materials provided
      with the distribution.
    * Neither the name of Google Inc. nor the names of its
      contributors may be used to endorse or promote products derived
      from this software without specific prior written permission.

THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND CONTRIBUTORS
"AS IS" AND ANY EXPRESS OR IMPLIED WARRANTIES, INCLUDING, BUT NOT
LIMITED TO, THE IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS FOR
A PARTICULAR PURPOSE ARE DISCLAIMED. IN NO EVENT SHALL THE COPYRIGHT
OWNER OR CONTRIBUTORS BE LIABLE FOR ANY DIRECT, INDIRECT, INCIDENTAL,
SPECIAL, EXEMPLARY, OR CONSEQUENTIAL DAMAGES (INCLUDING, BUT NOT
LIMITED TO, PROCUREMENT OF SUBSTITUTE GOODS OR SERVICES; LOSS OF USE,
DATA, OR PROFITS; OR BUSINESS INTERRUPTION) HOWEVER CAUSED AND ON ANY
THEORY OF LIABILITY, WHETHER IN CONTRACT, STRICT LIABILITY, OR TORT
(INCLUDING NEGLIGENCE OR OTHERWISE) ARISING IN ANY WAY OUT OF THE USE
OF THIS SOFTWARE, EVEN IF ADVISED OF THE POSSIBILITY OF SUCH DAMAGE.`;

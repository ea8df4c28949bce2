import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';

/** Writes a PDF as a stream, however large: pages of lines in a built-in font, each with a picture of the bytes given. */
export function createPdfWriter(path: string) {
  const out = createWriteStream(path);
  const offsets: number[] = [];
  const kids: number[] = [];
  let position = 0;

  async function write(part: string | Buffer): Promise<void> {
    position += Buffer.byteLength(part as Buffer);
    if (!out.write(part)) await once(out, 'drain');
  }

  async function object(number: number, body: string, data?: Buffer): Promise<void> {
    offsets[number] = position;
    await write(`${number} 0 obj\n${body}\n`);
    if (data !== undefined) {
      await write('stream\n');
      await write(data);
      await write('\nendstream\n');
    }
    await write('endobj\n');
  }

  const header = write('%PDF-1.7\n').then(() =>
    object(3, '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>'),
  );
  let next = 4;

  return {
    async page(lines: readonly string[], picture?: Buffer): Promise<void> {
      await header;
      const [page, content, image] = [next, next + 1, next + 2];
      next += 3;
      kids.push(page);
      const text = lines.map((line) => `(${line.replace(/[^ -'*-[\]-~]/g, '?')}) '`).join('\n');
      const data = Buffer.from(
        `BT /F 9 Tf 11 TL 50 800 Td\n${text}\nET${picture ? '\nq 99 0 0 99 50 50 cm /I Do Q' : ''}`,
      );
      const pictures = picture ? `/XObject << /I ${image} 0 R >>` : '';
      await object(
        page,
        `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents ${content} 0 R /Resources << /Font << /F 3 0 R >> ${pictures} >> >>`,
      );
      await object(content, `<< /Length ${data.length} >>`, data);
      if (picture === undefined) await object(image, 'null');
      else {
        await object(
          image,
          `<< /Type /XObject /Subtype /Image /Width 1000 /Height 1000 /ColorSpace /DeviceRGB /BitsPerComponent 8 /Filter /DCTDecode /Length ${picture.length} >>`,
          picture,
        );
      }
    },
    async [Symbol.asyncDispose](): Promise<void> {
      await header;
      await object(1, '<< /Type /Catalog /Pages 2 0 R >>');
      await object(
        2,
        `<< /Type /Pages /Count ${kids.length} /Kids [${kids.map((kid) => `${kid} 0 R`).join(' ')}] >>`,
      );
      const start = position;
      await write(`xref\n0 ${offsets.length}\n0000000000 65535 f \n`);
      await write(
        offsets
          .slice(1)
          .map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`)
          .join(''),
      );
      await write(`trailer\n<< /Size ${offsets.length} /Root 1 0 R >>\nstartxref\n${start}\n%%EOF\n`);
      out.end();
      await finished(out);
    },
  };
}

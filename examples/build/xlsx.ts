import writeExcelFile from 'write-excel-file/node';
import { fixOfficeFile } from './fixed-zip.ts';

export interface Sheet {
  sheet: string;
  /** The first row holds the column titles. */
  rows: readonly (readonly string[])[];
}

export async function writeXlsx(sheets: readonly Sheet[]): Promise<Buffer> {
  const workbook = writeExcelFile(
    sheets.map(({ sheet, rows }) => ({
      sheet,
      data: rows.map((row, index) =>
        row.map((value) => ({ value, ...(index === 0 ? { fontWeight: 'bold' as const } : {}) })),
      ),
      columns: (rows[0] ?? []).map(() => ({ width: 32 })),
    })),
  );
  return fixOfficeFile(await workbook.toBuffer());
}

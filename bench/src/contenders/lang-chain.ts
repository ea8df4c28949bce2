import { importPeer } from './peer-packages.ts';
import type { Peer } from './pg-pool.ts';

interface Found {
  id?: string;
  pageContent: string;
  metadata: object;
}

/** What is used of `PGVectorStore` of `@langchain/community`. */
export interface LangChainStore {
  addVectors(
    vectors: number[][],
    documents: { pageContent: string; metadata: object }[],
    options: { ids: string[] },
  ): Promise<void>;
  similaritySearchVectorWithScore(query: number[], k: number, filter?: object): Promise<[Found, number][]>;
}

interface StoreModule {
  PGVectorStore: new (embeddings: object, options: object) => LangChainStore;
}

/** On a table with the columns that it makes by itself. */
export async function createLangChainStore(
  { pool }: Peer,
  tableName: string,
  chunkSize = 500,
): Promise<LangChainStore> {
  const file = '@langchain/community/dist/vectorstores/pgvector.js';
  const { PGVectorStore } = await importPeer<StoreModule>('langchain', file);
  const columns = {
    idColumnName: 'id',
    contentColumnName: 'text',
    metadataColumnName: 'metadata',
    vectorColumnName: 'embedding',
  };
  return new PGVectorStore({}, { pool, tableName, columns, chunkSize, skipInitializationCheck: true });
}

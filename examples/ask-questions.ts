import type { Client, Hit } from './client.ts';
import { documents } from './documents.ts';
import { type Question, questions } from './questions.ts';

export interface Answer {
  question: Question;
  /** The passage that came first; null when nothing was found. */
  top: Hit | null;
  /** Whether that passage is of the expected document. */
  passed: boolean;
}

export async function askQuestions(client: Client, collection: string): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (const question of questions) {
    const [top = null] = await client.query({ query: question.text, collection, k: 5 });
    const expected = documents.find(({ file }) => file === question.expectedFile);
    answers.push({
      question,
      top,
      passed: top !== null && top.document.external_id === expected?.externalId,
    });
  }
  return answers;
}

import { combine } from './combine.ts';

/** A passage, one of its sentences aside, and a question about it in other word forms. */
export const passages: readonly { text: string; sentence: string; question: string }[] = [
  {
    sentence:
      'A bid bond is returned within fourteen days after the contract has been signed with the winner.',
    question: 'When do losing bidders get their bid bond returned?',
    text: 'Whoever takes part in a tender deposits a guarantee. A bid bond is returned within fourteen days after the contract has been signed with the winner. It is forfeited when a supplier withdraws an offer after the closing date or refuses to sign.',
  },
  {
    sentence: 'Envelopes are opened in public, and the price of every offer is read aloud.',
    question: 'Are the envelopes with the offers opened in public?',
    text: 'The opening takes place one hour after the deadline at the address given in the notice. Envelopes are opened in public, and the price of every offer is read aloud. Minutes are signed by all who are present.',
  },
  {
    sentence: 'Mushroom growers sterilise their straw with steam before the spawn is added.',
    question: 'How do growers sterilise straw for mushrooms?',
    text: 'The farm lies on the edge of the valley. Mushroom growers sterilise their straw with steam before the spawn is added. After three weeks the first flush is picked by hand and sold on the market of the next town.',
  },
  {
    sentence: 'The lighthouse keeper wound the clockwork every four hours so that the lens kept turning.',
    question: 'Who wound the clockwork of the lighthouse lens?',
    text: 'Before electricity reached the island, nights were divided into watches. The lighthouse keeper wound the clockwork every four hours so that the lens kept turning. Oil was carried up a hundred and eighty steps.',
  },
  {
    sentence: 'An evaluation committee has at least five members, none of whom may own shares of a bidder.',
    question: 'How many members does an evaluation committee need?',
    text: 'Offers are judged by people who know the subject. An evaluation committee has at least five members, none of whom may own shares of a bidder. Its report goes to the head of the procuring agency.',
  },
  {
    sentence: 'Payment is due thirty days after the goods were accepted in writing.',
    question: 'How long after acceptance of goods is payment due?',
    text: 'The supplier sends an invoice with the delivery note. Payment is due thirty days after the goods were accepted in writing. Late payment bears interest at the rate of the central bank.',
  },
  {
    sentence: 'Vacuuming removes dead row versions and lets the planner use index-only scans.',
    question: 'What does vacuuming do about dead row versions?',
    text: 'A table that is updated often grows. Vacuuming removes dead row versions and lets the planner use index-only scans. It runs by itself, yet busy tables deserve settings of their own.',
  },
  {
    sentence: 'Framework agreements last four years at most, unless the subject justifies a longer term.',
    question: 'What is the longest term of a framework agreement?',
    text: 'Several agencies may buy together. Framework agreements last four years at most, unless the subject justifies a longer term. Orders under an agreement are placed without a new tender.',
  },
];

/** Some hundreds of passages from the same world and with the same words. */
export const others = combine(
  [
    'The contracting authority',
    'A supplier',
    'Every bidder',
    'The ministry',
    'An independent auditor',
    'The project owner',
  ],
  ['publishes', 'checks', 'signs', 'archives', 'rejects', 'corrects', 'translates'],
  [
    'the tender notice',
    'the price schedule',
    'the contract',
    'the delivery report',
    'the technical offer',
    'the invoice',
  ],
  [
    'before the deadline.',
    'within ten working days.',
    'after a written request.',
    'on the national portal.',
    'at no charge.',
  ],
);

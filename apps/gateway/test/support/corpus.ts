/** One file of each format of examples/corpus, and a sentence that only stands there. */
export const oneOfEach: readonly { file: string; sentence: string }[] = [
  {
    file: 'bid-security.pdf',
    sentence:
      'An error in arithmetic, a late clarification or a lower score are no reason to forfeit anything. The decision is taken in writing',
  },
  {
    file: 'framework-agreements.docx',
    sentence:
      'For every order the buyer invites all suppliers of the framework that are able to fulfil it, gives them a short and sufficient time',
  },
  {
    file: 'evaluation-criteria.pptx',
    sentence: 'A bid that misses a mandatory technical requirement is rejected, however cheap it is',
  },
  {
    file: 'contract-performance-indicators.xlsx',
    sentence: 'Time from the report of an urgent fault to the arrival of a technician on site',
  },
  {
    file: 'debarment.epub',
    sentence:
      'While the case is pending, a temporary suspension is possible when waiting would put money or safety at risk.',
  },
  {
    file: 'open-tender-timeline.html',
    sentence:
      'Skipping this step is the most frequent cause of cancelled tenders. The buyer describes the need, asks the market what is available',
  },
  {
    file: 'e-procurement.md',
    sentence: "The browser encrypts the bid on the supplier's computer before it is sent.",
  },
  {
    file: 'conflicts-of-interest.txt',
    sentence: "Declaring a conflict isn't an admission of guilt; it is what an honest person does.",
  },
  {
    file: 'bid-rigging-signs.csv',
    sentence: 'Identical spelling or calculation errors in offers of rival bidders',
  },
  {
    file: 'supplier-qualification.json',
    sentence: 'turnover of more than twice the annual value of the contract is seldom justified',
  },
  {
    file: 'tender-clarifications.jsonl',
    sentence:
      'Each seat has a three-point belt, and at least two places per bus are prepared for wheelchairs',
  },
  {
    file: 'bao-dam-thuc-hien-hop-dong.pdf',
    sentence:
      'Ngân hàng chỉ phát hành bảo lãnh cho doanh nghiệp mà họ tin là có khả năng, vì vậy một nhà thầu yếu về tài chính thường gặp khó khăn',
  },
];

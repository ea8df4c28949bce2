/** Rows of the workbook: one sheet of indicators, one with the readings of an invented cleaning contract. */
export const indicators = {
  sheet: 'Indicators',
  rows: [
    ['Indicator', 'What is measured', 'Formula', 'Target', 'Consequence when missed'],
    [
      'Delivery on time',
      'Share of deliveries that arrive within the agreed window',
      'deliveries on time / all deliveries',
      '95 % a month',
      'Improvement plan after two months below target',
    ],
    [
      'First-time acceptance',
      'Share of deliverables accepted by the inspector without rework',
      'accepted at first inspection / inspected',
      '90 % a quarter',
      'Rework at the cost of the contractor',
    ],
    [
      'Response to urgent faults',
      'Time from the report of an urgent fault to the arrival of a technician on site',
      'median of hours in the month',
      'below 4 hours',
      'Service credit of 2 % of the monthly fee',
    ],
    [
      'Invoice accuracy',
      'Share of invoices that match the order and the delivery note',
      'correct invoices / all invoices',
      '98 % a quarter',
      'Invoice is returned, and the payment period starts again',
    ],
    [
      'Staff turnover on the contract',
      'Named key personnel who were replaced during the year',
      'replaced key staff / key staff',
      'below 20 % a year',
      'Replacement needs the written consent of the contract manager',
    ],
    [
      'Accidents at work',
      'Accidents with more than three days of absence',
      'accidents per 200 000 working hours',
      '0',
      'Work stops until the cause is found',
    ],
    [
      'User satisfaction',
      'Average of the half-yearly survey among the offices served',
      'sum of marks / answers, scale 1 to 5',
      '4.0',
      'Joint review of the service description',
    ],
    [
      'Payment by the buyer on time',
      'Share of correct invoices the buyer paid within thirty days',
      'invoices paid on time / correct invoices',
      '97 % a month',
      'Interest for late payment is due without a reminder',
    ],
    [
      'Variation orders',
      'Value of approved changes compared with the original contract price',
      'sum of variations / contract price',
      'below 10 %',
      'A new approval is needed, and a new tender is considered',
    ],
    [
      'Waste recycled',
      'Share of site waste that goes to recycling',
      'tonnes recycled / tonnes of waste',
      '70 % a year',
      'Report with causes and next steps',
    ],
  ],
} as const;

export const readings = {
  sheet: 'Readings',
  rows: [
    ['Month', 'Delivery on time', 'Urgent faults, median hours', 'Invoice accuracy', 'Remark'],
    ['2025-01', '96 %', '3.5', '99 %', 'Start of the cleaning contract for twelve office buildings'],
    ['2025-02', '94 %', '3.8', '97 %', 'Two vans were out of service because of snow'],
    [
      '2025-03',
      '91 %',
      '4.6',
      '98 %',
      'Second month below target: improvement plan requested, service credit applied',
    ],
    ['2025-04', '95 %', '3.9', '99 %', 'Improvement plan in force: one more crew on the early shift'],
    ['2025-05', '97 %', '3.1', '100 %', 'Improvement plan closed'],
    ['2025-06', '98 %', '2.9', '99 %', 'Half-yearly survey among the offices: 4.2'],
  ],
} as const;

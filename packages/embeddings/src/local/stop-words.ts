import { foldWord } from './words.ts';

/** Words that say little about what a text is about. They count for little, not for nothing. */
const english = `a about after all also am an and any are as at be been before being between both but by can could did do does
  during each every for from had has have having he her here him his how i if in into is it its just like may me more most
  must my no nor not now of off on one only or other our out over own s same shall she should so some such t than that the
  their them then there these they this those through to too under until up upon very was we were what when where which while
  who whom whose why will with within without would you your`;

const vietnamese = `ai bạn bằng bị bởi các cái cho chưa chúng có cùng cũng của do dù dưới gì giữa gồm hay hoặc hơn khi không kể
  là làm lại lên mà mỗi một mọi những nào này nên nếu như nhưng nhằm ở phải ra rằng rất sau sẽ sự ta tại tất theo thì thế tôi
  trên trong trước từ tới và vào vẫn vì việc về với vậy đang đã đâu đây đó được đến để đều`;

const stopWords: ReadonlySet<string> = new Set(`${english} ${vietnamese}`.split(/\s+/));
const foldedStopWords: ReadonlySet<string> = new Set([...stopWords].map(foldWord));

/**
 * `perhaps`: a stop word typed without its diacritics, or a word that says something and looks the same without them, as `dau`
 * may be `đâu` (where), `đấu` (bid) or `đầu` (head).
 *
 * @param word in lower case
 * @param folded the same word by `foldWord`
 */
export function isStopWord(word: string, folded: string): 'yes' | 'perhaps' | 'no' {
  if (stopWords.has(word)) return 'yes';
  return word === folded && foldedStopWords.has(folded) ? 'perhaps' : 'no';
}

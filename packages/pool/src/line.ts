/** Somebody in a line. Belongs to at most one line at a time. */
export class Member {
  before: Member | undefined;
  after: Member | undefined;
  queued = false;
}

/** A queue in order of arrival that gives up anybody in O(1), wherever they stand. */
export class Line<T extends Member> {
  size = 0;
  #first: Member | undefined;
  #last: Member | undefined;

  get oldest(): T | undefined {
    return this.#first as T | undefined;
  }

  get newest(): T | undefined {
    return this.#last as T | undefined;
  }

  /** Who stands behind somebody of this line. */
  behind(member: T): T | undefined {
    return member.after as T | undefined;
  }

  push(member: T): void {
    member.queued = true;
    member.before = this.#last;
    member.after = undefined;
    if (this.#last) this.#last.after = member;
    else this.#first = member;
    this.#last = member;
    this.size += 1;
  }

  /** False when they do not stand in line any more. */
  remove(member: T): boolean {
    if (!member.queued) return false;
    member.queued = false;
    if (member.before) member.before.after = member.after;
    else this.#first = member.after;
    if (member.after) member.after.before = member.before;
    else this.#last = member.before;
    member.before = undefined;
    member.after = undefined;
    this.size -= 1;
    return true;
  }

  *[Symbol.iterator](): Generator<T> {
    for (let member = this.#first; member; ) {
      const { after } = member;
      yield member as T;
      member = after;
    }
  }
}

// The finder's one ranking, as core/transform/ranking.py states it, for the browser.

const PLAIN = { ß: "ss", æ: "ae", œ: "oe", ø: "o", đ: "d", ł: "l", ı: "i", ς: "σ" };
const RANKS = 5;

const ENDS_IN_LETTER_OR_DIGIT = /[\p{L}\p{N}]$/u;
const ASCII = /^[ -~]*$/;
const foldings = new Map();

function fold(text) {
  if (ASCII.test(text)) return text.toLowerCase();
  let folded = "";
  for (const character of text) folded += foldedCharacter(character);
  return folded;
}

function foldedCharacter(character) {
  if (!foldings.has(character)) foldings.set(character, foldAnew(character));
  return foldings.get(character);
}

function foldAnew(character) {
  return character
    .normalize("NFKD")
    .replace(/[\p{M}\p{Cf}]/gu, "")
    .replace(/[\p{Z}\p{Cc}\p{Cs}]/gu, " ")
    .toLowerCase()
    .replace(/[ßæœøđłıς]/g, (letter) => PLAIN[letter]);
}

function foldedWords(text) {
  return fold(text).split(" ").filter(Boolean);
}

// A program with what it is compared by.
function program(name, code, tag, isInactive) {
  const text = foldedWords(`${name} / ${code}`).join(" ");
  return { name, code, tag, isInactive, text, foldedCode: fold(code) };
}

class Search {
  constructor(text) {
    this.words = foldedWords(text);
    this.phrase = this.words.join(" ");
    const longestFirst = this.words.toSorted((one, other) => other.length - one.length);
    this.marks = this.words.length ? new RegExp(longestFirst.map(literal).join("|"), "gu") : null;
  }

  find(programs) {
    const ranked = Array.from({ length: RANKS }, () => []);
    for (const each of programs) ranked[this.rank(each)]?.push(each);
    return ranked.flat();
  }

  rank({ text, foldedCode }) {
    for (const word of this.words) if (!text.includes(word)) return undefined;
    if (foldedCode === this.phrase) return 0;
    if (foldedCode.startsWith(this.phrase)) return 1;
    if (text.startsWith(this.phrase)) return 2;
    return this.words.every((word) => beginsAWord(word, text)) ? 3 : 4;
  }

  // Cuts a text into [part, is it marked].
  *marked(text) {
    let at = 0;
    const characters = Array.from(text);
    const cut = (start, end) => characters.slice(start, end).join("");
    for (const [start, end] of this.matches(characters)) {
      if (start > at) yield [cut(at, start), false];
      if (end > at) {
        yield [cut(Math.max(start, at), end), true];
        at = end;
      }
    }
    if (at < characters.length) yield [cut(at), false];
  }

  *matches(characters) {
    if (!this.marks) return;
    let folded = "";
    const ends = characters.map((character) => {
      folded += foldedCharacter(character);
      return folded.length;
    });
    for (const match of folded.matchAll(this.marks)) {
      const stop = match.index + match[0].length;
      let end = ends.findIndex((each) => each >= stop) + 1;
      while (ends[end] === stop) end += 1;
      yield [ends.findIndex((each) => each > match.index), end];
    }
  }
}

function beginsAWord(word, text) {
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    // Two units, for a letter beyond the first 65,536 characters takes as many.
    if (!ENDS_IN_LETTER_OR_DIGIT.test(text.slice(Math.max(0, at - 2), at))) return true;
  }
  return false;
}

function literal(word) {
  return word.replace(/[\^$\\.*+?()[\]{}|/]/g, "\\$&");
}

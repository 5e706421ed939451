// The loops in which a training spends its time, as WebAssembly on four numbers at once. Their text is assembled when
// this file is loaded: `$x` reads a local, `=x` sets it, a number is itself; `+ - *` take addresses, words four numbers.
const OPS = {
  loop: [0x03, 0x40], again: [0x0d, 0x00], end: [0x0b], "+": [0x6a], "-": [0x6b], "*": [0x6c],
  load: [0xfd, 0x00, 2], splat: [0xfd, 0x09, 2], store: [0xfd, 0x0b, 2], plus: [0xfd, 0xe4, 0x01], times: [0xfd, 0xe6, 0x01],
  half: [0xfd, 0x5d, 2], other: [0xfd, 0x57, 2], first: [0xfd, 0x5b, 2], second: [0xfd, 0x5b, 2], // of four numbers
  all: [0xfd, 0x11], above: [0xfd, 0x44], where: [0xfd, 0x52], mix: [0xfd, 0x0d],
};
const LANE = { other: [1], first: [0], second: [1] };
const taken = (...places) => places.flatMap((one) => [0, 1, 2, 3].map((byte) => 4 * one + byte)); // of two times four
const MIXES = { "01": taken(0, 4, 1, 5), "23": taken(2, 6, 3, 7), low: taken(0, 1, 4, 5), high: taken(2, 3, 6, 7) };
const four = (text) => [0, 1, 2, 3].map(text).join(" ");
const rest = (text) => [1, 2, 3].map(text).join(" ");

/** s = b + W p, four rows of W a turn; each number of `p` and `s` is four: of four places, or of four images. */
const FORWARD = {
  params: ["p", "w0", "b", "s", "rows", "inputs"], addresses: ["x", "n", "stride", "w1", "w2", "w3"],
  numbers: ["v", "a0", "a1", "a2", "a3"],
  text: `$inputs 4 * =stride
    loop
      ${four((r) => `$b splat@${4 * r} =a${r}`)} ${rest((r) => `$w${r - 1} $stride + =w${r}`)} $p =x $inputs =n
      loop
        $x load@0 =v ${four((r) => `$a${r} $v $w${r} splat@0 times plus =a${r} $w${r} 4 + =w${r}`)}
        $x 16 + =x $n 1 - =n $n again
      end
      ${four((r) => `$s $a${r} store@${16 * r}`)} $w3 =w0 $b 16 + =b $s 64 + =s $rows 4 - =rows $rows again
    end`,
};

/** The way back from the slopes `g` of `s`: adds those of W to `d` (still in fours) and those of `p` to `back`. */
const BACKWARD = {
  params: ["p", "w0", "g", "d0", "back", "rows", "inputs"],
  addresses: ["x", "y", "n", "stride", "w1", "w2", "w3", "d1", "d2", "d3"], numbers: ["v", "g0", "g1", "g2", "g3"],
  text: `$inputs 4 * =stride
    loop
      ${four((r) => `$g load@${16 * r} =g${r}`)} $p =x $back =y $inputs =n
      ${rest((r) => `$w${r - 1} $stride + =w${r} $d${r - 1} $stride 4 * + =d${r}`)}
      loop
        $x load@0 =v $y $y load@0 ${four((r) => `$w${r} splat@0 $g${r} times plus`)} store@0
        ${four((r) => `$d${r} $d${r} load@0 $v $g${r} times plus store@0 $w${r} 4 + =w${r} $d${r} 16 + =d${r}`)}
        $x 16 + =x $y 16 + =y $n 1 - =n $n again
      end
      $w3 =w0 $d3 =d0 $g 64 + =g $rows 4 - =rows $rows again
    end`,
};

/** Of each row's four numbers the largest, 0 where none is above 0, and which it was, -1 where none; four rows a turn. */
const POOL = {
  params: ["s", "best", "place", "rows"], addresses: [], numbers: ["a0", "a1", "a2", "a3", "b0", "b1", "b2", "b3", "v", "w"],
  text: `loop
    ${four((r) => `$s load@${16 * r} =a${r}`)}
    $a0 $a1 mix@01 =b0 $a0 $a1 mix@23 =b2 $a2 $a3 mix@01 =b1 $a2 $a3 mix@23 =b3
    $b0 $b1 mix@low =a0 $b0 $b1 mix@high =a1 $b2 $b3 mix@low =a2 $b2 $b3 mix@high =a3
    0 all =v -1 all =w
    ${four((r) => `${r} all $w $a${r} $v above where =w $a${r} $v $a${r} $v above where =v`)}
    $best $v store@0 $place $w store@0
    $s 64 + =s $best 16 + =best $place 16 + =place $rows 4 - =rows $rows again
  end`,
};

/** The 3x3 taps of the four places of a cell lie in 4x4 numbers; those of a map whose rows have nine are these bytes away. */
const taps = (text) => Array.from({ length: 9 }, (_, tap) => text(4 * (9 * ((tap / 3) | 0) + (tap % 3)), 16 * tap)).join(" ");
const placesOf = (at) => `$map $map half@${at} other@${at + 36}`;

/** The taps of a cell in each map, one after the other. */
const GATHER = {
  params: ["map", "taps", "count"], addresses: [], numbers: [],
  text: `loop
    ${taps((at, to) => `$taps ${placesOf(at)} store@${to}`)}
    $map 324 + =map $taps 144 + =taps $count 1 - =count $count again
  end`,
};

/** The way back: adds the slopes of the taps to those of the maps. */
const SCATTER = {
  params: ["map", "taps", "count"], addresses: [], numbers: ["v"],
  text: `loop
    ${taps((at, from) => `${placesOf(at)} $taps load@${from} plus =v $map $v first@${at} $map $v second@${at + 36}`)}
    $map 324 + =map $taps 144 + =taps $count 1 - =count $count again
  end`,
};

const leb = (n) => (n < 128 ? [n] : [(n & 127) | 128, ...leb(n >> 7)]);
const sized = (bytes) => [...leb(bytes.length), ...bytes];

/** One function's bytes. */
function assembled({ params, addresses, numbers, text }) {
  const names = [...params, ...addresses, ...numbers];
  const code = text.trim().split(/\s+/).flatMap((word) => {
    if (word[0] === "$") return [0x20, names.indexOf(word.slice(1))];
    if (word[0] === "=") return [0x21, names.indexOf(word.slice(1))];
    if (Number.isInteger(+word)) return [0x41, (word & 127) | 128, (word >> 7) & 127];
    const [op, more] = word.split("@");
    return [...OPS[op], ...(MIXES[more] ?? (more ? leb(+more) : [])), ...(LANE[op] ?? [])];
  });
  return sized([2, addresses.length, 0x7f, numbers.length, 0x7b, ...code, 0x0b]);
}

const LOOPS = { forward: FORWARD, backward: BACKWARD, pool: POOL, gather: GATHER, scatter: SCATTER };
const section = (id, entries) => [id, ...sized([entries.length, ...entries.flat()])];
const named = (text) => sized([...text].map((letter) => letter.charCodeAt(0)));
const CODE = Uint8Array.from([
  0, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
  ...section(1, Object.values(LOOPS).map(({ params }) => [0x60, ...sized(params.map(() => 0x7f)), 0])),
  ...section(2, [[...named("own"), ...named("memory"), 2, 0, 1]]),
  ...section(3, Object.keys(LOOPS).map((_, i) => [i])),
  ...section(7, Object.keys(LOOPS).map((name, i) => [...named(name), 0, i])),
  ...section(10, Object.values(LOOPS).map(assembled)),
]);

/** Whether this browser can run them. */
export const runsHere = () => typeof WebAssembly === "object" && WebAssembly.validate(CODE);

/** The loops, on a memory of their own that holds so many numbers. */
export function kernels(numbers) {
  const memory = new WebAssembly.Memory({ initial: Math.ceil(numbers / 16384) });
  const loops = new WebAssembly.Instance(new WebAssembly.Module(CODE), { own: { memory } }).exports;
  return { buffer: memory.buffer, ...loops };
}

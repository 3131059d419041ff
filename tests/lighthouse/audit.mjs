// Reads {url, headers, skip} a line; answers {scores, faults} a line.
import { createInterface } from "node:readline";
import { launch } from "chrome-launcher";
import lighthouse from "lighthouse";

const TURNS = 3; // for what is below 100 at first: the machine may have been busy
const CATEGORIES = ["performance", "accessibility", "best-practices", "seo"];

async function audit(port, { url, headers, skip }) {
  const { lhr } = await lighthouse(url, { port, extraHeaders: headers, skipAudits: skip });
  if (lhr.runtimeError) return { scores: CATEGORIES.map(() => 0), faults: [lhr.runtimeError.code] };
  const counted = CATEGORIES.flatMap((category) => lhr.categories[category].auditRefs).filter(({ weight }) => weight);
  const failed = counted.map(({ id }) => lhr.audits[id]).filter(({ score }) => score !== null && score < 0.9);
  return {
    scores: CATEGORIES.map((category) => Math.round(lhr.categories[category].score * 100)),
    faults: failed.map(({ id, displayValue }) => [id, displayValue].filter(Boolean).join(": ")),
  };
}

const perfect = ({ scores }) => scores.every((score) => score === 100);
const median = (numbers) => numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

const chrome = await launch({ chromeFlags: ["--headless=new", "--no-sandbox"] });
for await (const line of createInterface({ input: process.stdin })) {
  const page = JSON.parse(line);
  const runs = [await audit(chrome.port, page)];
  while (!perfect(runs[0]) && runs.length < TURNS) runs.push(await audit(chrome.port, page));
  const scores = CATEGORIES.map((_, category) => median(runs.map((run) => run.scores[category])));
  console.log(JSON.stringify({ scores, faults: perfect({ scores }) ? [] : runs.at(-1).faults }));
}
chrome.kill();

// Trains nlp.js as shipped for Chinese on {train: [[text, label]], texts: []} of argv[2] and prints [[label, score, ms]].
const { readFileSync } = require('fs');
const { NlpManager } = require('node-nlp');

const main = async () => {
  const given = JSON.parse(readFileSync(process.argv[2], 'utf8'));
  const manager = new NlpManager({ languages: ['zh'], forceNER: false, nlu: { log: false }, autoSave: false });
  for (const [text, label] of given.train) manager.addDocument('zh', text, label);
  await manager.train();
  const answers = [];
  for (const text of given.texts) {
    const began = process.hrtime.bigint();
    const { intent, score } = await manager.process('zh', text);
    answers.push([intent, score, Number(process.hrtime.bigint() - began) / 1e6]);
  }
  process.stdout.write(JSON.stringify(answers));
};
main();

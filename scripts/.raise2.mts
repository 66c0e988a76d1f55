import { readFileSync, writeFileSync, readdirSync } from 'node:fs';
import ts from 'typescript';
import { testExamples, TABLES } from '/work/wt/tools/src/cli/wire.ts';
import { variantsOf } from '/work/wt/tools/src/detection/mutate.ts';
import { recordsOf } from '/work/wt/tools/src/detection/example-records.ts';
import { durationMs } from '/work/wt/tools/src/time.ts';

const log = process.argv[2]!; const only = process.argv.slice(3);
const survivors = new Map<string, string[]>(); let cur = '';
for (const line of readFileSync(log, 'utf8').split('\n')) {
  const m = /^ *[\d.]+% ([a-z0-9-]+) \(/.exec(line);
  if (m) { cur = m[1]!; survivors.set(cur, []); } else if (line.startsWith('       ')) survivors.get(cur)?.push(line.trim());
}
const fileOf = (id: string) => { for (const t of ['cloudtrail','s3_access','waf']) { const f=`/work/wt/tools/detectors/${t}/${id}.ts`; try { readFileSync(f); return f; } catch {} } throw new Error(id); };
const lit = (v: any): string => v === null ? 'null' : typeof v === 'string' ? "'" + v.replaceAll('\\','\\\\').replaceAll("'", "\\'").replaceAll('\n','\\n') + "'" : typeof v !== 'object' ? String(v) : Array.isArray(v) ? `[${v.map(lit).join(', ')}]` : `{ ${Object.entries(v).map(([k,x]) => `${/^[A-Za-z_$][\w$]*$/.test(k) ? k : lit(k)}: ${lit(x)}`).join(', ')} }`;
const isRep = (e: any) => typeof e === 'object' && 'repeat' in e && 'every' in e;

async function tryExample(detector: any, example: any, text: (alerts: string) => string, wanted: any[], name: string, mustFire: boolean) {
  // learn what it finds
  const probe = await testExamples({ ...detector, examples: [{ ...example, name, alerts: [] }] });
  const found = (probe.examples[0]?.problems ?? []).map((p: string) => { const m = /^an alert that was not expected: (.*)$/s.exec(p); return m ? JSON.parse(m[1]!) : null; });
  if (found.includes(null)) return null;
  if (mustFire !== found.length > 0) return null;
  if (found.length > 12) return null;
  const alerts = found.map((f: any) => ({ subject: f.subject, ...(detector.slot === 'event' ? {} : { count: f.count }) }));
  const report = await testExamples({ ...detector, examples: [{ ...example, name, alerts }] }, wanted);
  if (report.examples[0]!.problems.length > 0) return null;
  const killed = report.mutants.filter((m: any) => m.noticed === true).map((m: any) => m.what);
  if (killed.length === 0) return null;
  return { killed, text: text(`[${alerts.map((a: any) => lit(a)).join(', ')}]`) };
}

const setPath = (o: any, path: string[], f: (v: any) => any): any => { const [k, ...r] = path; if (k === undefined) return f(o); return { ...o, [k]: setPath(o?.[k], r, f) }; };
const getPath = (o: any, path: string[]): any => path.reduce((v, k) => v?.[k], o);

for (const [id, whats] of survivors) {
  if (whats.length === 0 || (only.length > 0 && !only.includes(id))) continue;
  const file = fileOf(id); const { detector } = await import(file) as any;
  const table = TABLES.find((t) => t.name === detector.table)!;
  let left = variantsOf(detector).filter((v) => whats.includes(v.what)); const add: string[] = [];
  const keep = (r: any) => { if (!r) return; left = left.filter((v) => !r.killed.includes(v.what)); add.push(r.text); };
  const source = ts.createSourceFile(file, readFileSync(file,'utf8'), ts.ScriptTarget.Latest, true);
  const exNodes: ts.ObjectLiteralExpression[] = [];
  const visit = (n: ts.Node) => { if (ts.isPropertyAssignment(n) && n.name.getText() === 'examples' && ts.isArrayLiteralExpression(n.initializer)) { for (const e of n.initializer.elements) if (ts.isObjectLiteralExpression(e)) exNodes.push(e); return; } ts.forEachChild(n, visit); };
  visit(source);
  const firing = detector.examples.map((e: any, i: number) => ({ e, i })).filter(({ e }: any) => e.alerts.length > 0);
  const prop = (n: ts.ObjectLiteralExpression, name: string) => n.properties.find((p): p is ts.PropertyAssignment => ts.isPropertyAssignment(p) && p.name.getText() === name)?.initializer;
  const parms = (e: any) => e.parameters ? `parameters: ${lit(e.parameters)}, ` : '';
  try {
    // S1: names
    const names = left.flatMap((v) => { const m = /event_name(?:|\.\w+): .*without "([^"]+)"/.exec(v.what); return m ? [m[1]!] : []; });
    if (names.length > 0 && detector.table === 'cloudtrail' && !detector.sequence) {
      for (const { e } of firing) {
        if (names.length === 0) break;
        for (const [at, entry] of e.records.entries()) {
          const rec = isRep(entry) ? (typeof entry.record === 'function' ? entry.record(0) : entry.record) : entry;
          if (typeof rec !== 'object' || !rec.eventName) continue;
          if (isRep(entry)) { // repeat with the other name
            let fine = null;
            for (const n of names.slice()) {
              const f = typeof entry.record === 'function' ? (i: number) => ({ ...entry.record(i), eventName: n }) : { ...entry.record, eventName: n };
              const node = exNodes[detector.examples.indexOf(e)]; const recs = node && prop(node, 'records');
              const el = recs && ts.isArrayLiteralExpression(recs) ? recs.elements[at] : undefined;
              if (!el || !ts.isObjectLiteralExpression(el)) continue;
              const rt = prop(el,'record')?.getText(); if (!rt) continue;
              const rtext = typeof entry.record === 'function' ? `(index) => ({ ...(${rt})(index), eventName: ${lit(n)} })` : `{ ...${rt}, eventName: ${lit(n)} }`;
              const r = await tryExample(detector, { parameters: e.parameters, records: [{ ...entry, record: f }] }, (a) => `{ name: ${lit(`the same by ${n}`)}, ${parms(e)}records: [{ repeat: ${entry.repeat}, every: ${lit(entry.every)}, record: ${rtext} }], alerts: ${a} }`, left, 'x', true);
              if (r) { keep(r); names.splice(names.indexOf(n),1); }
            }
          } else {
            const records = names.map((eventName) => ({ ...rec, eventName }));
            const { eventTime: _t, eventName: _n, ...rest } = rec;
            const r = await tryExample(detector, { parameters: e.parameters, records }, (a) => `{ name: 'the other calls that it is about', ${parms(e)}records: [${names.map(lit).join(', ')}].map((eventName) => (${lit(rest).replace(/^\{ /, '{ eventName, ')})), alerts: ${a} }`, left, 'x', true);
            if (r) { keep(r); names.splice(0, names.length, ...left.flatMap((v) => { const m = /event_name(?:|\.\w+): .*without "([^"]+)"/.exec(v.what); return m ? [m[1]!] : []; })); }
          }
          if (names.length === 0) break;
        }
      }
    }
    // S2/S3: repeats
    const isSpan = left.some((v) => /within: halved/.test(v.what)); 
    const bump = left.filter((v) => /one more|one less|atLeast: \d+$/.test(v.what));
    const within = detector.threshold?.within;
    if (within && (isSpan || bump.length > 0)) {
      const ref = detector.threshold.atLeast; 
      for (const { e, i } of firing) {
        const n = typeof ref === 'number' ? ref : Number({ ...Object.fromEntries(Object.entries(detector.parameters).map(([k, s]: any) => [k, s.parse(undefined)])), ...(e.parameters ?? {}) }[ref.parameter]);
        const node = exNodes[i]; const recs = node && prop(node, 'records'); if (!recs || !ts.isArrayLiteralExpression(recs)) continue;
        const at = e.records.findIndex((x: any) => isRep(x)); if (at < 0) continue; const el = recs.elements[at]; if (!el || !ts.isObjectLiteralExpression(el)) continue;
        const rt = prop(el, 'record')?.getText(); if (!rt) continue; const entry = e.records[at];
        const sec = Math.floor((durationMs(within) * 0.95) / 1000 / Math.max(1, n - 1)); if (sec < 1) continue;
        const mk = (count: number) => ({ parameters: e.parameters, records: [{ repeat: count, every: `${sec}s`, record: entry.record }] });
        const tx = (count: number, name: string) => (a: string) => `{ name: ${lit(name)}, ${parms(e)}records: [{ repeat: ${count}, every: '${sec}s', record: ${rt} }], alerts: ${a} }`;
        const r1 = await tryExample(detector, mk(n), tx(n, 'just enough, over nearly all of the time'), left, 'x', true); 
        if (r1) keep(r1);
        if (left.some((v) => /one less|atLeast: \d+$/.test(v.what))) { const r2 = await tryExample(detector, mk(n - 1), tx(n - 1, 'one too few'), left, 'x', false); if (r2) keep(r2); }
        if (r1) break;
      }
    }
    // Source of entries, changed.
    const elements = (i: number) => { const node = exNodes[i]; const recs = node && prop(node, 'records'); return recs && ts.isArrayLiteralExpression(recs) ? recs.elements.map((x) => x.getText()) : null; };
    const opOf = (r: any) => typeof r === 'string' ? / ((?:REST|WEBSITE|BATCH|SOAP|S3)[.][A-Z0-9_.]+) /.exec(r)?.[1] : undefined;
    const lists = () => left.flatMap((v) => { const m = /operation(?:|\.\w+): .*without "([^"]+)"/.exec(v.what); return m ? [m[1]!] : []; });
    if (detector.table === 's3_access' && lists().length > 0) {
      for (const { e, i } of firing) {
        const els = elements(i); if (!els || els.length !== e.records.length) continue;
        for (const x of lists()) {
          const recs = e.records.map((entry: any) => { const f = (r: string) => { const o = opOf(r); return o ? r.replace(o, x) : r; }; return isRep(entry) ? { ...entry, record: typeof entry.record === 'function' ? (k: number) => f(entry.record(k)) : f(entry.record) } : f(entry); });
          const texts = e.records.map((entry: any, k: number) => { const sample = isRep(entry) ? (typeof entry.record === 'function' ? entry.record(0) : entry.record) : entry; const o = opOf(sample); const E = els[k]!; if (!o) return E;
            const R = `.replace(${lit(o)}, ${lit(x)})`; if (!isRep(entry)) return `${E}${R}`; return typeof entry.record === 'function' ? `{ ...${E}, record: (index: number) => ${E}.record(index)${R} }` : `{ ...${E}, record: ${E}.record${R} }`; });
          const r = await tryExample(detector, { parameters: e.parameters, records: recs }, (a) => `{ name: ${lit(`the same by ${x}`)}, ${parms(e)}records: [${texts.join(', ')}], alerts: ${a} }`, left, 'x', true);
          if (r) keep(r);
        }
      }
    }
    const span = detector.threshold?.within ?? detector.sequence?.within;
    if (span && left.some((v) => /within: halved/.test(v.what))) {
      for (const { e, i } of firing) {
        const els = elements(i); if (!els || els.length !== e.records.length) continue;
        let done = false;
        for (const [k, entry] of e.records.entries()) { if (!isRep(entry)) continue;
          for (const share of [0.95, 0.8, 0.6]) {
            const sec = Math.floor((durationMs(span) * share) / 1000 / Math.max(1, entry.repeat - 1)); if (sec < 1) continue;
            const recs = e.records.with(k, { ...entry, every: `${sec}s` }); const texts = els.with(k, `{ ...${els[k]}, every: '${sec}s' }`);
            const r = await tryExample(detector, { parameters: e.parameters, records: recs }, (a) => `{ name: 'the same over nearly all of the time', ${parms(e)}records: [${texts.join(', ')}], alerts: ${a} }`, left, 'x', true);
            if (r) { keep(r); done = true; break; }
          }
          if (done) break; }
        // Records one by one: the last comes late.
        if (!done && detector.sequence && e.records.length > 1 && e.records.every((r: any) => typeof r === 'object' && !isRep(r) && r.eventName)) {
          const at = new Date(Date.UTC(2025, 2, 3, 10) + durationMs(span) * 0.9).toISOString().replace('.000Z', 'Z');
          const k = e.records.length - 1; const recs = e.records.with(k, { ...e.records[k], eventTime: at }); const texts = els.with(k, `{ ...${els[k]}, eventTime: ${lit(at)} }`);
          const r = await tryExample(detector, { parameters: e.parameters, records: recs }, (a) => `{ name: 'the last of it nearly too late', ${parms(e)}records: [${texts.join(', ')}], alerts: ${a} }`, left, 'x', true);
          if (r) { keep(r); done = true; }
        }
        if (done) break;
      }
    }
    if (detector.baseline?.firstSeen && left.some((v) => /over: halved/.test(v.what))) {
      const over = durationMs(detector.baseline.over); let done = false;
      for (const { e, i } of firing) {
        const els = elements(i); if (!els || els.length !== e.records.length) continue;
        const k = e.records.length - 1; const R = e.records[k];
        const sample = isRep(R) ? (typeof R.record === 'function' ? R.record(0) : R.record) : R;
        const Etext = isRep(R) ? (typeof R.record === 'function' ? `${els[k]}.record(0)` : `${els[k]}.record`) : els[k]!;
        const filled = recordsOf(e, detector.table); const last = filled.at(-1)!.timeMs; if (last === null) continue;
        for (const share of [0.75, 0.6, 0.9]) {
          const at = last - over * share; const iso = new Date(at).toISOString().replace('.000Z', 'Z');
          let old: any, text: string;
          if (typeof sample === 'string') { const d = new Date(at).toISOString(); const mon = ['Jan','Feb','Mar','Apr','May','Jun','Jul','Aug','Sep','Oct','Nov','Dec'][new Date(at).getUTCMonth()]; const w = `[${d.slice(8,10)}/${mon}/${d.slice(0,4)}:${d.slice(11,19)} +0000]`; old = sample.replace(/\[[^\]]+\]/, w); text = `${Etext}.replace(/\\[[^\\]]+\\]/u, ${lit(w)})`; }
          else if (detector.table === 'waf') { old = { ...sample, timestamp: at }; text = `{ ...${Etext}, timestamp: ${at} }`; }
          else { old = { ...sample, eventTime: iso }; text = `{ ...${Etext}, eventTime: ${lit(iso)} }`; }
          // Whoever says no time of its own follows on the one before.
          const withTime = typeof sample === 'string' ? null : sample.eventTime ?? sample.timestamp;
          const recs = [old, ...e.records]; const texts = [text, ...els];
          const r = await tryExample(detector, { parameters: e.parameters, records: recs }, (a) => `{ name: 'the first time in a while, though not in all of the history', ${parms(e)}records: [${texts.join(', ')}], alerts: ${a} }`, left, 'x', false);
          if (r) { keep(r); done = true; break; }
        }
        if (done) break;
      }
    }
    // S5: prefixes
    for (const v of left.filter((v) => /: (startswith|endswith) as contains$/.test(v.what))) {
      const m = /\.?([a-z_]+(?:\.[A-Za-z0-9_:\-]+)*): (startswith|endswith) as contains$/.exec(v.what); if (!m) continue;
      const [name, ...path] = m[1]!.split('.'); const col = table.columns.find((c) => c.name === name); 
      const isNot = /\.not/.test(v.what);
      const raw = col?.raw ?? ({ principal_arn: 'userIdentity.arn', principal: 'userIdentity.arn', event_name: 'eventName' } as any)[name!]; if (!raw) continue;
      const whole = [...raw.split('.'), ...path];
      for (const e of detector.examples) { let done = false;
        for (const entry of e.records) { const rec = isRep(entry) ? (typeof entry.record === 'function' ? entry.record(0) : entry.record) : entry; if (typeof rec !== 'object') continue;
          const val = getPath(rec, whole); if (typeof val !== 'string') continue;
          const changed = setPath(rec, whole, (x) => m[2] === 'startswith' ? `x${x}` : `${x}x`); delete changed.eventTime;
          for (const fire of [false, true]) { const r = await tryExample(detector, { parameters: e.parameters, records: [changed] }, (a) => `{ name: ${lit(`what it compares stands elsewhere in ${m[1]}`)}, ${parms(e)}records: [${lit(changed)}], alerts: ${a} }`, [v], 'x', fire); if (r) { keep(r); done = true; break; } }
          if (done) break; }
        if (done) break; }
    }
    // subject
    for (const v of left.filter((x) => /^subject: without/.test(x.what)).slice(0, 1)) {
      for (const { e, i } of firing) {
        const r = await tryExample(detector, { parameters: e.parameters, records: e.records }, (a) => a, left, 'x', true);
        if (!r) continue;
        const node = exNodes[i]; const al = node && prop(node, 'alerts'); if (!al) continue;
        left = left.filter((y) => !r.killed.includes(y.what)); add.push(`@@${al.getStart()}:${al.getEnd()}:${r.text}`); break;
      }
    }
  } catch (error) { console.log('FAILED', id, String(error).slice(0, 200)); }
  if (add.length > 0) {
    let text = readFileSync(file, 'utf8');
    for (const a of add.filter((x) => x.startsWith('@@'))) { const [, s, e2, t] = /^@@(\d+):(\d+):(.*)$/s.exec(a)!; text = text.slice(0, Number(s)) + t + text.slice(Number(e2)); }
    const fresh = add.filter((x) => !x.startsWith('@@'));
    if (fresh.length > 0) text = text.replace(/ {2}\],\n\}\);\n$/, `    ${fresh.join(',\n    ')},\n  ],\n});\n`);
    writeFileSync(file, text);
  }
  console.log(id, whats.length, '->', left.length); for (const v of left) console.log('       ' + v.what);
}

/** The editor of definitions: CodeMirror with YAML, faults in place, and completion by the format. */

import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap, type CompletionContext } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { bracketMatching, HighlightStyle, indentOnInput, syntaxHighlighting } from "@codemirror/language";
import { lintGutter, lintKeymap, setDiagnostics, type Diagnostic } from "@codemirror/lint";
import { MergeView } from "@codemirror/merge";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { EditorState, type Extension } from "@codemirror/state";
import { EditorView, highlightActiveLine, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import type { Flaw } from "./queries";
import type { Offers } from "./complete";

/** Colours are the page's own; they reach into the editor's shadow. */
const theme = EditorView.theme({
  "&": { height: "100%", backgroundColor: "var(--surface)", color: "var(--text)", fontSize: "13px" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "ui-monospace, 'DejaVu Sans Mono', monospace", lineHeight: "1.55" },
  ".cm-content": { caretColor: "var(--text)", padding: "8px 0" },
  ".cm-gutters": { backgroundColor: "var(--surface)", color: "var(--muted)", border: "none" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "var(--hover)" },
  ".cm-tooltip": { backgroundColor: "var(--surface)", color: "var(--text)", border: "1px solid var(--line)", borderRadius: "8px", overflow: "hidden" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { backgroundColor: "var(--accent-soft)", color: "var(--text)" },
  ".cm-tooltip-autocomplete ul li": { padding: "3px 8px !important" },
  ".cm-completionDetail": { color: "var(--muted)", fontStyle: "normal", marginLeft: "1rem" },
  ".cm-diagnostic-error": { borderLeftColor: "var(--bad)" },
  ".cm-lintRange-error": { backgroundImage: "none", textDecoration: "underline wavy var(--bad) 1px", textUnderlineOffset: "3px" },
  ".cm-panels": { backgroundColor: "var(--subtle)", color: "var(--text)" },
  ".cm-changedLine": { backgroundColor: "color-mix(in srgb, var(--good) 12%, transparent) !important" },
  ".cm-deletedChunk, .cm-merge-a .cm-changedLine, &.cm-merge-a .cm-changedLine": { backgroundColor: "color-mix(in srgb, var(--bad) 12%, transparent) !important" },
  // The library's own marks are in few fonts.
  ".cm-collapsedLines:before, .cm-collapsedLines:after": { content: '"⋯"' },
  ".cm-collapsedLines": { background: "var(--subtle)", color: "var(--muted)" },
});

const colours = syntaxHighlighting(
  HighlightStyle.define([
    { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--link)" },
    { tag: [tags.string, tags.special(tags.string)], color: "var(--code-text)" },
    { tag: tags.comment, color: "var(--muted)" },
    { tag: [tags.number, tags.bool, tags.keyword, tags.labelName, tags.typeName], color: "var(--code-word)" },
    { tag: [tags.punctuation, tags.separator, tags.squareBracket, tags.brace], color: "var(--muted)" },
  ]),
);

const common = (label: string): Extension[] => [
  lineNumbers(),
  yaml(),
  colours,
  theme,
  bracketMatching(),
  EditorView.contentAttributes.of({ "aria-label": label, spellcheck: "false", tabindex: "0" }),
];

/**
 * Where an editor is put: within a shadow, styles are constructed and need no `<style>` in the page, which
 * its policy would refuse.
 */
function shadowOf(host: HTMLElement): ShadowRoot {
  const shadow = host.shadowRoot ?? host.attachShadow({ mode: "open" });
  shadow.replaceChildren();
  return shadow;
}

type Wishes = {
  label: string;
  text: string;
  isReadOnly: boolean;
  onChange: (text: string) => void;
  complete: (text: string, offset: number) => Offers | null;
};

export function openEditor(host: HTMLElement, { label, text, isReadOnly, onChange, complete }: Wishes): EditorView {
  const shadow = shadowOf(host);
  const source = (asked: CompletionContext) => {
    if (!asked.explicit && !asked.matchBefore(/\w$/)) return null;
    const found = complete(asked.state.doc.toString(), asked.pos);
    if (!found) return null;
    return { from: found.from, options: found.offers.map((offer) => ({ type: "property", ...offer })), validFor: /^[\w.-]*$/ };
  };
  const extensions = [
    ...common(label),
    history(),
    lintGutter(),
    indentOnInput(),
    closeBrackets(),
    highlightActiveLine(),
    highlightSelectionMatches(),
    autocompletion({ override: [source], icons: false }),
    keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...searchKeymap, ...historyKeymap, ...completionKeymap, ...lintKeymap]),
    EditorState.readOnly.of(isReadOnly),
    EditorView.updateListener.of((update) => {
      if (update.docChanged) onChange(update.state.doc.toString());
    }),
  ];
  return new EditorView({ parent: shadow, root: shadow, state: EditorState.create({ doc: text, extensions }) });
}

/** Shows every fault where it stands. */
export function showFaults(view: EditorView, flaws: Flaw[]): void {
  const { doc } = view.state;
  const diagnostics = flaws.map(({ line, column, message }): Diagnostic => {
    const at = doc.line(Math.min(Math.max(line, 1), doc.lines));
    const from = Math.min(at.from + Math.max(column - 1, 0), at.to);
    const word = /^[\w.$-]+/.exec(doc.sliceString(from, at.to))?.[0].length ?? at.to - from;
    return { from, to: Math.min(from + Math.max(word, 1), Math.max(at.to, from)), severity: "error", message };
  });
  view.dispatch(setDiagnostics(view.state, diagnostics));
}

/** Puts the caret where somebody wants to look. */
export function goTo(view: EditorView, line: number, column: number): void {
  const at = view.state.doc.line(Math.min(Math.max(line, 1), view.state.doc.lines));
  const anchor = Math.min(at.from + column - 1, at.to);
  view.dispatch({ selection: { anchor }, effects: EditorView.scrollIntoView(anchor, { y: "center" }) });
  view.focus();
}

/** Two texts side by side, with what is the same in both folded away. */
export function openDifference(host: HTMLElement, labels: [string, string], texts: [string, string], unchanged: string): MergeView {
  const shadow = shadowOf(host);
  const side = (index: 0 | 1) => ({
    doc: texts[index],
    extensions: [...common(labels[index]), EditorState.readOnly.of(true), EditorView.lineWrapping, EditorState.phrases.of({ "$ unchanged lines": unchanged })],
  });
  return new MergeView({ a: side(0), b: side(1), parent: shadow, root: shadow, collapseUnchanged: { margin: 3, minSize: 6 }, gutter: true });
}

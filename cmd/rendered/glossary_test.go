package main

import (
	"bytes"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	glossaryRow = regexp.MustCompile(`(?m)^\| <a id="([a-z-]+)"></a>([a-z ]+) \| (.*) \|$`)
	houseRow    = regexp.MustCompile(`(?m)^\| ([a-z, ]+) \| (.*) \| [^|]* \|$`)
)

// The glossary has each word once, in order, with an anchor of its name and one sentence that leads
// to a page; each is a word of another page or of the program's help. The README leads to it.
func TestGlossary(t *testing.T) {
	texts := documents(t)
	page := filepath.Join(root, "docs/glossary.md")
	if !strings.Contains(texts[filepath.Join(root, "README.md")], "(docs/glossary.md)") {
		t.Error("the README does not lead there")
	}
	rows := glossaryRow.FindAllStringSubmatch(texts[page], -1)
	if lines := strings.Count(texts[page], "\n| ") - 1; lines != len(rows) || len(rows) < 30 {
		t.Errorf("%d rows of %d are understood", len(rows), lines)
	}
	used := usedWords(texts, page)
	var words []string
	for _, m := range rows {
		words = append(words, m[2])
		if m[1] != strings.ReplaceAll(m[2], " ", "-") {
			t.Errorf("%s has the anchor %s", m[2], m[1])
		}
		if strings.Contains(m[3], ". ") || strings.HasSuffix(m[3], ".") || !strings.Contains(m[3], "](") {
			t.Errorf("%s: it is to be one sentence, without a full stop, with a link: %s", m[2], m[3])
		}
		if !regexp.MustCompile(`(?i)\b` + m[2] + `s?\b`).MatchString(used) {
			t.Errorf("%s is used nowhere", m[2])
		}
	}
	if !slices.IsSorted(words) || len(slices.Compact(slices.Clone(words))) != len(words) {
		t.Errorf("the words are not in order, or one stands there twice: %q", words)
	}
	houseWords(t, texts[filepath.Join(root, "CONTRIBUTING.md")], words)
}

// usedWords gives the prose of all pages for users but one, and what the program says in its help.
func usedWords(texts map[string]string, but string) string {
	var b bytes.Buffer
	for _, path := range slices.Sorted(maps.Keys(texts)) {
		if path != but && (strings.Contains(path, "/docs/") || strings.HasSuffix(path, "/README.md")) {
			b.WriteString(texts[path])
		}
	}
	for _, cmd := range newRoot().Commands() {
		b.WriteString(cmd.Long + cmd.Short)
	}
	return b.String()
}

// houseWords wants the words that contributors have besides to be others: one that the glossary has
// leads there and has no other meaning.
func houseWords(t *testing.T, page string, words []string) {
	t.Helper()
	_, table, _ := strings.Cut(page, "\n## House words\n")
	seen := make(map[string]bool)
	for _, m := range houseRow.FindAllStringSubmatch(table, -1) {
		for word := range strings.SplitSeq(m[1], ", ") {
			link := "[glossary](docs/glossary.md#" + strings.ReplaceAll(word, " ", "-") + ")"
			if known := slices.Contains(words, word); known != (m[2] == link) {
				t.Errorf("%s: it means %q in CONTRIBUTING.md; the glossary has it: %v", word, m[2], known)
			}
			if seen[word] {
				t.Errorf("%s stands in CONTRIBUTING.md twice", word)
			}
			seen[word] = true
		}
	}
	if len(seen) < 20 {
		t.Errorf("CONTRIBUTING.md has %d words", len(seen))
	}
}

package format

import "testing"

// A parser that panics is said to be at fault, and not the file.
func TestParserThatGivesUp(t *testing.T) {
	was := syntaxes["ini"]
	t.Cleanup(func() { syntaxes["ini"] = was })
	broken := was
	broken.check = func([]byte) *Error { panic("hunter2") }
	broken.tree = func([]byte) (Node, *Error) { panic("hunter2") }
	syntaxes["ini"] = broken
	const want = "cannot be checked as INI: its parser gives up over it; please report this"
	f := Format{"ini"}
	if err := f.Check([]byte("[a]\n")); err == nil || err.Error() != want {
		t.Errorf("check: %v", err)
	}
	if _, err := f.Tree([]byte("[a]\n")); err == nil || err.Error() != want {
		t.Errorf("tree: %v", err)
	}
}

package fault

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func culprit(what any) { panic(what) }

func divide(by int) int { return 1 / by }

// Of a panic its place is told, however it came up, and nothing of what it says.
func TestCaught(t *testing.T) {
	if f := Caught(func() {}); f != nil {
		t.Errorf("nothing is wrong, and it gives %v", f)
	}
	for name, tt := range map[string]struct {
		f    func()
		what string
	}{
		"text":  {func() { culprit("c4n4ry") }, "panic of string in fault.culprit (fault/panic_test.go:"},
		"error": {func() { culprit(fmt.Errorf("x: %w", errors.New("c4n4ry"))) }, "panic of *fmt.wrapError in fault.culprit ("},
		"value": {func() { culprit(map[string]int{"c4n4ry": 1}) }, "panic of map[string]int in fault.culprit ("},
		"again": {func() {
			defer func() { panic(recover()) }() // as text/template does with what it does not know
			culprit("c4n4ry")
		}, "panic of string in fault.culprit ("},
		"runtime": {func() { _ = divide(len(t.Name()) - len("TestCaught")) }, "panic of runtime.errorString in fault.divide ("},
	} {
		f := Caught(tt.f)
		if f == nil || !strings.Contains(f.What, tt.what) {
			t.Errorf("%s: %v, want %s", name, f, tt.what)
			continue
		}
		if text := f.Text(); strings.Contains(text, "c4n4ry") || !strings.Contains(text, "fault.TestCaught") {
			t.Errorf("%s: it says\n%s", name, text)
		}
	}
}

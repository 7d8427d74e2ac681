package fault

import (
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
)

// Caught calls f. Where f panics it gives a Fault that says where in the program that was, else
// nil. What the panic itself says is never shown, because it may quote a value.
func Caught(f func()) (failed *Fault) {
	defer func() {
		if what := recover(); what != nil {
			failed = panicked(what)
		}
	}()
	f()
	return nil
}

// mostFrames bounds how much of the stack is told.
const mostFrames = 12

func panicked(what any) *Fault {
	var pcs [64]uintptr
	var stack []string
	frames := runtime.CallersFrames(pcs[:runtime.Callers(0, pcs[:])])
	for more := true; more; {
		var f runtime.Frame
		f, more = frames.Next()
		switch {
		case f.Function == "runtime.gopanic":
			stack = nil // what is above only cleans up; a deferred function may have panicked again
		case f.Function != "" && !strings.HasPrefix(f.Function, "runtime."):
			stack = append(stack, frame(f))
		}
	}
	if len(stack) == 0 {
		stack = []string{"an unknown place"}
	}
	stack = stack[:min(len(stack), mostFrames)]
	return &Fault{
		What:  fmt.Sprintf("a mistake in rendered itself: panic of %T in %s", what, stack[0]),
		Hints: append(stack[1:], "please report this; it holds no value"),
	}
}

// frame gives "watch.(*keeper).look (watch/keeper.go:52)".
func frame(f runtime.Frame) string {
	dir, file := filepath.Split(f.File)
	function := f.Function[strings.LastIndexByte(f.Function, '/')+1:]
	return fmt.Sprintf("%s (%s/%s:%d)", function, filepath.Base(dir), file, f.Line)
}

package e2e

import (
	"os/exec"

	"github.com/rogpeppe/go-internal/testscript"
)

// background gives the last command that the script started in the background.
func background(ts *testscript.TestScript) *exec.Cmd {
	list := ts.BackgroundCmds()
	if len(list) == 0 {
		ts.Fatalf("nothing runs in the background")
	}
	return list[len(list)-1]
}

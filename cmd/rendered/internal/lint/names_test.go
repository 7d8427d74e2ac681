package lint

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Each of the names is one that dash or bash does not give the value that a file assigns, and a
// common one is not.
func TestShellNames(t *testing.T) {
	dash, err := exec.LookPath("dash")
	bash, err2 := exec.LookPath("bash")
	if err != nil || err2 != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err, err2)
		}
		t.Skip("no dash or no bash")
	}
	set := func(name string) bool {
		for _, shell := range []string{dash, bash} {
			cmd := exec.Command(shell, "-c", `. /dev/stdin; printf %s "$`+name+`"`)
			cmd.Stdin = strings.NewReader(name + "=\"some value\"\n")
			if out, err := cmd.Output(); err != nil || string(out) != "some value" {
				return false
			}
		}
		return true
	}
	for _, name := range shellNames {
		if set(name) {
			t.Errorf("%s can be set", name)
		}
	}
	for _, name := range strings.Fields("PATH HOME USER PWD IFS LANG TERM HOSTNAME SHLVL COLUMNS OPTARG REPLY TMOUT DB_PASSWORD http_proxy TF_VAR_x") {
		if !set(name) {
			t.Errorf("%s cannot be set", name)
		}
	}
}

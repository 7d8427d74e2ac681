package packages_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// documents looks at manual pages and completions as they are installed.
func documents(t *testing.T, made packages) {
	files := t.TempDir()
	output(t, "dpkg-deb", "--extract", made.debs["amd64"], files)
	pages, err := filepath.Glob(filepath.Join(files, "usr/share/man/man?/*.gz"))
	if err != nil || len(pages) < 7 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	version := output(t, "dpkg-deb", "--field", made.debs["amd64"], "Version")
	version = version[:strings.LastIndexByte(version, '-')]
	for _, page := range pages {
		manual(t, page, version)
	}
	for program, args := range map[string][]string{
		"bash": {"-n", "usr/share/bash-completion/completions/rendered"},
		"zsh":  {"-n", "usr/share/zsh/vendor-completions/_rendered"},
		"fish": {"--no-execute", "usr/share/fish/vendor_completions.d/rendered.fish"},
	} {
		cmd := exec.CommandContext(t.Context(), program, args...)
		cmd.Dir = files
		if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%s: %v\n%s", cmd, err, out)
		}
	}
	completes(t, files)
	links(t, filepath.Join(files, "usr/share/doc/rendered"))
}

var link = regexp.MustCompile(`\]\(([^)#]+)[^)]*\)`)

// links wants whatever a page links to, other than an address of the web, to be installed with it.
func links(t *testing.T, dir string) {
	t.Helper()
	found := 0
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".md" {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			found++
			if _, err := os.Stat(filepath.Join(filepath.Dir(path), m[1])); err != nil {
				t.Errorf("%s links to %s, which is not installed", strings.TrimPrefix(path, dir+"/"), m[1])
			}
		}
		return err
	})
	if err != nil || found < 20 {
		t.Errorf("%d links, %v", found, err)
	}
}

// manual wants a page to be shown without complaints, of groff and of mandoc, and to say which
// version it is of.
func manual(t *testing.T, page, version string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "man", "--warnings", "--local-file", page)
	cmd.Env = append(os.Environ(), "MAN_KEEP_FORMATTING=", "MANWIDTH=200", "LC_ALL=C.UTF-8", "PAGER=cat")
	var failed strings.Builder
	cmd.Stderr = &failed
	out, err := cmd.Output()
	if err != nil || failed.Len() > 0 {
		t.Errorf("man %s: %v\n%s", filepath.Base(page), err, failed.String())
	}
	if !strings.Contains(string(out), "rendered "+version) || !strings.Contains(string(out), "NAME") {
		t.Errorf("%s does not say that it is of %s:\n%s", filepath.Base(page), version, out)
	}
	if strings.Contains(string(out), "nonsense") {
		t.Errorf("%s shows a setting of the machine it was made on", filepath.Base(page))
	}
	cmd = exec.CommandContext(t.Context(), "sh", "-c", `zcat "$1" | mandoc -T lint -W warning`, "sh", page)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("mandoc %s: %v\n%s", filepath.Base(page), err, out)
	}
}

// completes has bash complete a verb, with the program that is installed.
func completes(t *testing.T, files string) {
	t.Helper()
	const script = `
PATH=$PWD/usr/bin:$PATH
_get_comp_words_by_ref() { cur=ver prev=rendered words=(rendered ver) cword=1; }
source usr/share/bash-completion/completions/rendered
COMP_WORDS=(rendered ver) COMP_CWORD=1 COMP_LINE='rendered ver' COMP_POINT=12 COMP_TYPE=9
__start_rendered
echo "${COMPREPLY[@]}"` // compopt, outside of a completion, complains to stderr
	cmd := exec.CommandContext(t.Context(), "bash", "-c", script)
	cmd.Dir = files
	if out, err := cmd.Output(); err != nil || !strings.HasPrefix(string(out), "version") {
		t.Errorf("bash completes ver to %q: %v", out, err)
	}
}

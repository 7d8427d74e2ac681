package manual

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
)

var update = flag.Bool("update", false, "write what the golden pages are")

// tree makes a program whose words have all that the language of man(7) could take for its own.
func tree() *cobra.Command {
	root := &cobra.Command{
		Use:   "tool",
		Short: "Do a thing",
		Long: `tool does.

  .TH: "no macro"
    nested

  after an empty line
back in the text, at \n and 'quoted', ~home, ^top and ` + "`code`" + `
.hidden begins a line

a last paragraph`,
		Example: "  tool do -f 'a b'   do it\n  tool do --help",
		Run:     func(*cobra.Command, []string) {},
	}
	root.PersistentFlags().StringP("config", "c", "/etc/tool.conf", "config `file`")
	do := &cobra.Command{Use: "do [THING...]", Short: "Do it", Run: func(*cobra.Command, []string) {}}
	do.Flags().Bool("fast", false, "do it fast")
	do.Flags().Bool("secret", false, "not shown")
	_ = do.Flags().MarkHidden("secret")
	hidden := &cobra.Command{Use: "hidden", Hidden: true, Run: func(*cobra.Command, []string) {}}
	root.AddCommand(do, hidden)
	return root
}

func TestGolden(t *testing.T) {
	dir := t.TempDir()
	book := Book{Version: "1.0~rc-1", Date: "2026-11-24", SeeAlso: []string{"tool.conf(5)"}}
	if err := book.Write(tree(), dir); err != nil {
		t.Fatal(err)
	}
	// The page of the functions is what the reference has.
	if err := os.Remove(filepath.Join(dir, "tool-functions.7")); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.CopyFS("testdata", os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
	}
	got, want := pages(t, dir), pages(t, "testdata")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func pages(t *testing.T, dir string) map[string]string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no pages: %v", err)
	}
	texts := make(map[string]string)
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		texts[filepath.Base(path)] = string(data)
	}
	return texts
}

// A list fits a page of 80 columns, its explanations on the right; a command stays on its line.
func TestListsFit(t *testing.T) {
	command := "  tool check --json | jq -r '.findings[] | select(.severity == \"warning\") | .what'"
	p := new(page)
	p.text("Rules:\n\n  wide-secret      a file that holds a secret, and a mode that is wider than it may be\n  short            one\n\n" + command)
	want := `Rules:
.PP
.RS "2"
.nf
wide\-secret      a file that holds a secret, and a mode that is wider
                 than it may be
short            one

` + escape(command[2:]) + `
.fi
.RE
`
	if got := p.String(); got != want {
		t.Errorf("%s", got)
	}
}

// groff has nothing to say against the pages. That what is meant literally comes out so is for
// eyes, once, in testdata.
func TestGroffIsContent(t *testing.T) {
	dir := t.TempDir()
	if err := (Book{Version: "1.0~rc-1", Date: "2026-11-24"}).Write(tree(), dir); err != nil {
		t.Fatal(err)
	}
	paths, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(paths) != 3 {
		t.Fatal(paths, err)
	}
	for _, path := range paths {
		content(t, path)
	}
}

func TestNoSuchDirectory(t *testing.T) {
	if err := (Book{}).Write(tree(), filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("pages were written nowhere")
	}
}

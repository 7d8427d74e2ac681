// Command readers reads what quote functions wrote, with the code of the programs that read it. It
// is a module of its own: none of that is a part of the project's program.
package main

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"os"
	"strings"

	"github.com/compose-spec/compose-go/v2/dotenv"
	"github.com/docker/cli/pkg/kvfile"
	"github.com/hashicorp/hcl/v2/hclparse"
)

// readers give the values of k0, k1 and so on that a file has, by the name of its reader.
var readers = map[string]func(path string) (map[string]string, error){"hcl": hcl, "compose": compose, "docker": docker}

func main() {
	values, err := readers[os.Args[1]](os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for i := range len(values) {
		value, ok := values[fmt.Sprint("k", i)]
		if !ok {
			fmt.Fprintf(os.Stderr, "there is no k%d\n", i)
			os.Exit(1)
		}
		fmt.Fprintln(out, hex.EncodeToString([]byte(value)))
	}
}

// hcl reads attributes of HCL 2, as Terraform reads a .tfvars file.
func hcl(path string) (map[string]string, error) {
	file, wrong := hclparse.NewParser().ParseHCLFile(path)
	if wrong.HasErrors() {
		return nil, wrong
	}
	attributes, wrong := file.Body.JustAttributes()
	if wrong.HasErrors() {
		return nil, wrong
	}
	values := make(map[string]string)
	for name, attribute := range attributes {
		value, wrong := attribute.Expr.Value(nil)
		if wrong.HasErrors() {
			return nil, wrong
		}
		values[name] = value.AsString()
	}
	return values, nil
}

// compose reads a file that a service of Docker Compose names in env_file.
func compose(path string) (map[string]string, error) {
	return dotenv.GetEnvFromFile(map[string]string{"x": "canary", "HOME": "canary"}, []string{path})
}

// docker reads a file as docker run --env-file does.
func docker(path string) (map[string]string, error) {
	lines, err := kvfile.Parse(path, nil)
	values := make(map[string]string)
	for _, line := range lines {
		name, value, _ := strings.Cut(line, "=")
		values[name] = value
	}
	return values, err
}

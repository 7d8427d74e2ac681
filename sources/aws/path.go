package aws

import (
	"maps"
	"strings"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/rendered/rendered/sources"
)

const actPath = "ssm:GetParametersByPath"

// maxPath bounds the names and values under a path, in bytes: pages may come without end.
const maxPath = 16 << 20

var errPathTooLarge = &failure{reason: sources.Unavailable, detail: "there is more under it than the 16 MiB that a path may have here, or a value that is longer than AWS stores"}

// askPaths asks for paths, each by itself.
func (f *fetch) askPaths(refs []sources.Ref) {
	for _, r := range refs {
		f.spawn(func() { f.askPath(r) }, r)
	}
}

// askPath reads every parameter under a path, page by page. A page may be empty and have another
// after it. A path without parameters is Missing: for AWS no such thing as an empty path exists.
func (f *fetch) askPath(r sources.Ref) {
	path := strings.TrimRight(r.Name, "/")
	in := &ssm.GetParametersByPathInput{
		Path: awssdk.String(path), Recursive: awssdk.Bool(true), WithDecryption: awssdk.Bool(true), MaxResults: awssdk.Int32(batchSize),
	}
	if path == "" {
		in.Path = awssdk.String("/")
	}
	v := sources.Value{Params: make(map[string]string), Read: make(map[string]string)}
	for size := 0; ; {
		out, err := do(f, r.Kind, f.getParametersByPath, in)
		if err == nil {
			size, err = f.addPage(&v, size, path, out.Parameters)
		}
		if err != nil {
			f.fail(actPath, err, r)
			return
		}
		if in.NextToken = out.NextToken; awssdk.ToString(in.NextToken) == "" {
			break
		}
	}
	if len(v.Params) == 0 {
		f.fail(actPath, errNoParameter, r)
		return
	}
	f.answer(r, sources.Result{Value: v})
}

// addPage adds to the value of a path what a page has beneath it. It gives the size of all.
func (f *fetch) addPage(v *sources.Value, size int, path string, page []types.Parameter) (int, error) {
	for _, p := range page {
		name, beneath := strings.CutPrefix("/"+parameterKey(awssdk.ToString(p.Name)), path+"/")
		if !beneath || p.Value == nil {
			continue
		}
		if size += len(name) + len(*p.Value); tooLong(p) || size > maxPath {
			return size, errPathTooLarge
		}
		v.Params[name] = *p.Value
		v.Secret = v.Secret || p.Type == types.ParameterTypeSecureString
		f.learn(awssdk.ToString(p.ARN))
		_, read := state(p, "")
		maps.Copy(v.Read, read)
	}
	return size, nil
}

package render

// The lists are those of confd 0.16 and its forks (resource/template/template_funcs.go, memkv),
// consul-template 0.41, which Vault Agent and Nomad use too (template/funcs.go), gomplate 4
// (docs/content/functions), sprig 3 (functions.go) and Helm 3 (pkg/engine/funcs.go).

const (
	eachTime   = "what differs from run to run would change the file, and reload its readers, on every pass"
	noNetwork  = "a template asks AWS and this machine; write the name down, or keep the address in a parameter: {{ param \"/app/address\" }}"
	noConsul   = "there is no Consul; what it knows can be kept in Parameter Store: {{ param \"/app/address\" }}"
	noVault    = "Secrets Manager makes nothing anew for who asks; let its rotation put it into a secret: {{ secret \"prod/web/tls\" \"cert\" }}"
	noWriting  = "a file is written from a template of its own, under files:"
	noPrograms = "a template runs no programs and no other templates by text"
	noErrors   = "a value that is missing or wrong is an error by itself"
	noCloud    = "only AWS is asked; instance metadata is {{ imds \"tags/instance/Name\" }}"
	noSecrecy  = "keep what is secret in Secrets Manager: {{ secret \"prod/db\" \"password\" }}"
	noDefault  = "it fails where the variable is not set; what may be missing belongs in vars:, as {{ get . \"name\" \"text\" }}"
	noTypes    = "a function fails by itself where a value is of another type; {{ kindIs \"map\" .value }} tells them apart"
)

var (
	toJSONHere    = []string{`{{ <1:.value> | toJson }}`}
	fromJSONHere  = []string{`{{ <1:.text> | fromJson }}`}
	base64Here    = []string{`{{ <1:.text> | b64enc }}`}
	unbase64Here  = []string{`{{ <1:.text> | b64dec }}`}
	upperHere     = []string{`{{ <1:.text> | upper }}`}
	lowerHere     = []string{`{{ <1:.text> | lower }}`}
	titleHere     = []string{`{{ <1:.text> | title }}`}
	trimHere      = []string{`{{ <1:.text> | trim }}`}
	envHere       = []string{`{{ env <1:"NAME"> }}`}
	paramHere     = []string{`{{ param <1:"/app/key"> }}`}
	paramsHere    = []string{`{{ range $name, $text := params <1:"/app"> }}{{ $name }}={{ $text }}{{ end }}`}
	treeHere      = []string{`{{ range $name, $below := paramsTree <1:"/app"> }}{{ $name }}{{ end }}`}
	secretHere    = []string{`{{ secret <1:"prod/db"> "password" }}`}
	secretMapHere = []string{`{{ range $name, $value := secretMap <1:"prod/db"> }}{{ $name }}{{ end }}`}
	fileHere      = []string{`{{ file <1:"/etc/hostname"> }}`}
	yamlHere      = []string{`{{ <1:.value> | toJson }}`} // JSON is YAML
)

var ofConfd = []foreignEntry{
	{"getv", []string{paramHere[0], `{{ paramOr <2:"text"> <1:"/app/key"> }}`}, ""},
	{"gets getvs", paramsHere, ""},
	{"ls", paramsHere, "$name is what stands below the path"},
	{"lsdir", treeHere, ""},
	{"exists", []string{`{{ paramOr "" <1:"/app/key"> }}`}, "an empty text is false to if"},
	{"cget cgetv", []string{secretHere[0]}, ""},
	{"cgets cgetvs", secretMapHere, ""},
	{"json jsonArray", fromJSONHere, ""},
	{"map", []string{`{{ dict "key" .value }}`}, ""},
	{"getenv", envHere, noDefault},
	{"toUpper", upperHere, ""},
	{"toLower", lowerHere, ""},
	{"base64Encode", base64Here, ""},
	{"base64Decode", unbase64Here, ""},
	{"parseBool", []string{`{{ eq <1:.text> "true" }}`}, ""},
	{"fileExists", nil, "{{ file \"/etc/hostname\" }} fails where there is no file, and looks again when there is one"},
	{"sortByLength sortKVByLength", []string{`{{ <1:.list> | sortAlpha }}`}, "it sorts by letters; there is no order by length"},
	{"lookupIP lookupIPV4 lookupIPV6 lookupSRV", nil, noNetwork},
	{"lookupIfaceIPV4 lookupIfaceIPV6", []string{`{{ imds "local-ipv4" }}`}, "of other interfaces it is a fact to be kept in vars"},
	{"datetime", nil, eachTime},
}

var ofConsulTemplate = []foreignEntry{
	{"key", paramHere, ""},
	{"keyOrDefault key_or_default", []string{paramHere[0], `{{ paramOr <2:"text"> <1:"/app/key"> }}`}, ""},
	{"keyExists key_exists", []string{`{{ paramOr "" <1:"/app/key"> }}`}, "an empty text is false to if"},
	{"keyExistsGet", []string{`{{ with paramOr "" <1:"/app/key"> }}{{ . }}{{ end }}`}, ""},
	{"safeLs safeTree", paramsHere, ""},
	{"tree", []string{`{{ range $name, $text := params <1:"/app"> }}{{ $name }}={{ $text }}{{ end }}`}, "$name is all that stands below the path"},
	{"secrets", nil, "nothing lists secrets, for AWS gives no such permission for some of them; write the names down: {{ secret \"prod/db\" \"password\" }}"},
	{"vault", secretHere, ""},
	{"pkiCert", nil, noVault},
	{"caLeaf caRoots connect datacenters node nodes service services peerings partitions exportedServices byMeta byPort byTag", nil, noConsul},
	{"byKey", []string{`{{ range $name, $below := paramsTree "/app" }}{{ $name }}{{ end }}`}, ""},
	{"nomadService nomadServices nomadVar nomadVarExists nomadVarList nomadVarListSafe", nil, "there is no Nomad; what it knows can be kept in Parameter Store: {{ param \"/app/key\" }}"},
	{"scratch", []string{`{{ $x := "text" }}{{ $x = "other" }}{{ $x }}`}, "a map of values is {{ dict \"key\" .value }}"},
	{"NewMap", []string{`{{ dict "key" .value }}`}, ""},
	{"base64URLEncode", nil, "{{ b64enc .text | replace \"+\" \"-\" | replace \"/\" \"_\" }} does it"},
	{"base64URLDecode", nil, "{{ .text | replace \"-\" \"+\" | replace \"_\" \"/\" | b64dec }} does it"},
	{"containsAll containsAny containsNone containsNotAll", []string{`{{ has "element" .list }}`}, "several are put together by and, or, not"},
	{"envOrDefault mustEnv", envHere, noDefault},
	{"executeTemplate", []string{`{{ template <1:"_part.tmpl"> . }}`}, "a file beside the template whose name begins with _"},
	{"explode", []string{`{{ range $name, $below := paramsTree "/app" }}{{ $name }}{{ end }}`}, ""},
	{"explodeMap", nil, "{{ range $name, $below := paramsTree \"/app\" }}{{ $name }}{{ end }} gives a tree"},
	{"mergeMap", []string{`{{ range $k, $v := merge (dict "a" 1) .defaults }}{{ $k }}{{ end }}`}, ""},
	{"mergeMapWithOverride", []string{`{{ range $k, $v := mergeOverwrite (dict "a" 1) .more }}{{ $k }}{{ end }}`}, ""},
	{"in", []string{`{{ has "element" <1:.list> }}`, `{{ has <2:"element"> <1:.list> }}`}, "for a part of a text {{ contains \"part\" .text }}"},
	{"loop", []string{`{{ range until <1:3> }}{{ . }}{{ end }}`, `{{ range untilStep <1:1> <2:4> 1 }}{{ . }}{{ end }}`}, ""},
	{"trimSpace", trimHere, ""},
	{"parseFloat", []string{`{{ <1:.text> | float64 }}`}, ""},
	{"parseInt parseUint", []string{`{{ <1:.text> | int64 }}`}, ""},
	{"parseJSON", fromJSONHere, ""},
	{"parseYAML", nil, "keep JSON, which {{ .text | fromJson }} reads; {{ secretMap \"prod/app\" }} decodes a secret"},
	{"plugin", nil, noPrograms},
	{"replaceAll", []string{`{{ <3:.text> | replace "a" "b" }}`, `{{ .text | replace <1:"a"> <2:"b"> }}`, `{{ <3:.text> | replace <1:"a"> <2:"b"> }}`}, ""},
	{"sha256Hex", []string{`{{ <1:.text> | sha256sum }}`}, ""},
	{"sha512Hex", []string{`{{ <1:.text> | sha512sum }}`}, ""},
	{"md5sum", []string{`{{ <1:.text> | sha256sum }}`}, "MD5 is broken"},
	{"hmacSHA256Hex", nil, noSecrecy},
	{"splitToMap", []string{`{{ range $i, $part := splitList "," .text }}{{ $part }}{{ end }}`}, ""},
	{"spew_dump spew_printf spew_sdump spew_sprintf", nil, "it prints values; {{ kindOf .value }} says what kind one is"},
	{"sockaddr", []string{`{{ imds "local-ipv4" }}`}, "or {{ hostname }}"},
	{"timestamp", nil, eachTime},
	{"toJSON toUnescapedJSON", toJSONHere, ""},
	{"toJSONPretty toUnescapedJSONPretty", []string{`{{ <1:.value> | toPrettyJson }}`}, ""},
	{"toTitle", titleHere, ""},
	{"toTOML", nil, "write the keys down and quote what stands behind them: key = {{ .text | tomlQuote }}"},
	{"toYAML", yamlHere, "JSON is YAML, too; one text is {{ .text | yamlQuote }}"},
	{"writeToFile", nil, noWriting},
	{"subtract", []string{`{{ sub .count 1 }}`, `{{ sub <2:.count> <1:1> }}`}, "what is taken away stands last"},
	{"multiply", []string{`{{ mul .count 2 }}`, `{{ mul <2:.count> <1:2> }}`}, ""},
	{"divide", []string{`{{ div .count 2 }}`, `{{ div <2:.count> <1:2> }}`}, "what it is divided by stands last"},
	{"modulo", []string{`{{ mod .count 2 }}`, `{{ mod <2:.count> <1:2> }}`}, "what it is divided by stands last"},
	{"minimum", []string{`{{ min .count 2 }}`, `{{ min <1:2> <2:.count> }}`}, ""},
	{"maximum", []string{`{{ max .count 2 }}`, `{{ max <1:2> <2:.count> }}`}, ""},
}

var ofSprig = []foreignEntry{
	{"now ago date date_in_zone dateInZone date_modify dateModify must_date_modify mustDateModify duration durationRound htmlDate htmlDateInZone toDate mustToDate unixEpoch", nil, eachTime},
	{"randAlpha randAlphaNum randAscii randNumeric randBytes randInt shuffle uuidv4", nil, eachTime},
	{"bcrypt htpasswd encryptAES", nil, eachTime + "; keep what it gives in a secret: {{ secret \"prod/app\" \"hash\" }}"},
	{"genPrivateKey genCA genCAWithKey genSelfSignedCert genSelfSignedCertWithKey genSignedCert genSignedCertWithKey buildCustomCert", nil,
		eachTime + "; keep certificate and key in a secret: {{ secret \"prod/web/tls\" \"key\" }}"},
	{"derivePassword decryptAES", nil, noSecrecy},
	{"genPassword", nil, eachTime + "; Secrets Manager makes passwords: {{ secret \"prod/db\" \"password\" }}"},
	{"getHostByName", nil, noNetwork},
	{"expandenv", []string{`{{ env "NAME" }}`}, "one name at a time"},
	{"set unset", []string{`{{ $m := merge (dict "key" "text") .map }}{{ get $m "key" }}`}, "a map is made anew, and without a key by {{ omit .map \"key\" }}"},
	{"osBase", []string{`{{ <1:.path> | base }}`}, ""},
	{"osDir", []string{`{{ <1:.path> | dir }}`}, ""},
	{"osClean", []string{`{{ <1:.path> | clean }}`}, ""},
	{"osExt", []string{`{{ <1:.path> | ext }}`}, ""},
	{"osIsAbs", []string{`{{ <1:.path> | isAbs }}`}, ""},
	{"mustSlice", []string{`{{ slice .list 0 1 }}`, `{{ slice <1:.list> <2:0> }}`, `{{ slice <1:.list> <2:0> <3:1> }}`}, ""},
	{"semver", []string{`{{ semverCompare ">=1.2" <1:.version> }}`}, ""},
	{"trimall", []string{`{{ trimAll "$" .text }}`, `{{ trimAll <1:"$"> <2:.text> }}`}, ""},
	{"urlParse", nil, "keep the parts of an address under names of their own, as {{ secret \"prod/db\" \"host\" }}"},
	{"hello", nil, "it gives the same words always"},
}

var ofHelm = []foreignEntry{
	{"include", []string{`{{ template <1:"_part.tmpl"> . }}`, `{{ template <1:"_part.tmpl"> <2:.> }}`}, "a file beside the template whose name begins with _; what it prints goes through no function"},
	{"tpl", nil, noPrograms},
	{"lookup", secretHere, "or {{ param \"/app/key\" }}"},
	{"toYaml toYamlPretty", yamlHere, "JSON is YAML, too; one text is {{ .text | yamlQuote }}"},
	{"fromYaml fromYamlArray", nil, "keep JSON, which {{ .text | fromJson }} reads; {{ secretMap \"prod/app\" }} decodes a secret"},
	{"fromJsonArray", fromJSONHere, ""},
	{"toToml", nil, "write the keys down and quote what stands behind them: key = {{ .text | tomlQuote }}"},
	{"fromToml", nil, "keep JSON, which {{ .text | fromJson }} reads"},
}

var ofAnsible = []foreignEntry{
	{"hostvars groups inventory_hostname ansible_facts ansible_hostname ansible_fqdn", []string{`{{ hostname }}`}, "what else is known of hosts belongs in vars: {{ .name }}"},
	{"item items", []string{`{{ range .list }}{{ . }}{{ end }}`}, ""},
	{"to_json", toJSONHere, ""},
	{"to_nice_json", []string{`{{ <1:.value> | toPrettyJson }}`}, ""},
	{"from_json", fromJSONHere, ""},
	{"b64encode", base64Here, ""},
	{"b64decode", unbase64Here, ""},
	{"to_yaml to_nice_yaml", yamlHere, "JSON is YAML, too; one text is {{ .text | yamlQuote }}"},
	{"mandatory", []string{`{{ required "why" <1:.text> }}`}, ""},
	{"length", []string{`{{ <1:.list> | len }}`}, ""},
	{"capitalize", titleHere, ""},
}

var ofGomplate = []foreignEntry{
	{"ds datasource", secretHere, "or {{ param \"/app/key\" }}; vars: of the config holds what is no secret: {{ .name }}"},
	{"datasourceExists datasourceReachable defineDatasource listDatasources", nil, "there are no data sources; what is asked is named where it is used: {{ param \"/app/key\" }}"},
	{"aws.SM", []string{`{{ secret <1:"prod/db"> }}`}, "one value of its JSON is {{ secret \"prod/db\" \"password\" }}"},
	{"aws.SMP", []string{`{{ param <1:"/app/key"> }}`}, ""},
	{"aws.SSM", []string{`{{ param <1:"/app/key"> }}`}, ""},
	{"aws.EC2Meta aws.EC2Dynamic ec2meta ec2dynamic", []string{`{{ imds <1:"placement/availability-zone"> }}`}, ""},
	{"aws.EC2Region ec2region", []string{`{{ awsRegion }}`}, ""},
	{"aws.EC2Tag aws.EC2Tags ec2tag ec2tags", []string{`{{ imds "tags/instance/Name" }}`}, ""},
	{"aws.Account", []string{`{{ awsAccount }}`}, ""},
	{"aws.", secretHere, "{{ param \"/app/key\" }}, {{ imds \"tags/instance/Name\" }}, {{ awsRegion }} and {{ awsAccount }} are what else AWS is asked"},
	{"awsSecret ssm", secretHere, "a parameter is {{ param \"/app/key\" }}"},
	{"azure. gcp. k8s.", nil, noCloud},
	{"base64.Encode", base64Here, ""},
	{"base64.Decode base64.DecodeBytes", unbase64Here, ""},
	{"base64.", base64Here, "and {{ .text | b64dec }}"},
	{"data.JSON data.JSONArray json", fromJSONHere, ""},
	{"data.ToJSON", toJSONHere, ""},
	{"data.ToJSONPretty", []string{`{{ .value | toPrettyJson }}`, `{{ <2:.value> | toPrettyJson }}`}, ""},
	{"data.ToYAML", yamlHere, "JSON is YAML, too; one text is {{ .text | yamlQuote }}"},
	{"data. yaml yamlArray toml csv csvByRow csvByColumn cue toCSV toCUE", nil, "keep JSON, which {{ .text | fromJson }} reads and {{ .value | toJson }} writes; {{ secretMap \"prod/app\" }} decodes a secret"},
	{"conv.ToInt conv.ToInt64 toInt toInt64", []string{`{{ <1:.text> | int64 }}`}, ""},
	{"conv.ToFloat64 toFloat64", []string{`{{ <1:.text> | float64 }}`}, ""},
	{"conv.ToBool conv.Bool bool", []string{`{{ eq <1:.text> "true" }}`}, ""},
	{"conv.ToString", []string{`{{ <1:.value> | toString }}`}, ""},
	{"conv.Join", []string{`{{ <1:.list> | join "," }}`, `{{ <1:.list> | join <2:","> }}`}, ""},
	{"conv.Default", []string{`{{ .text | default "text" }}`, `{{ <2:.text> | default <1:"text"> }}`}, ""},
	{"conv.URL conv. urlParse", nil, "keep the parts of an address under names of their own, as {{ secret \"prod/db\" \"host\" }}; numbers are made by {{ .text | int64 }}"},
	{"coll.Dict", []string{`{{ dict "key" .value }}`}, ""},
	{"coll.Slice coll.Append coll.Prepend", []string{`{{ append .list "more" }}`}, "a list is made by {{ list \"a\" \"b\" }}"},
	{"coll.Has", []string{`{{ hasKey .map "key" }}`, `{{ hasKey <1:.map> <2:"key"> }}`}, "an element of a list: {{ has \"element\" .list }}"},
	{"coll.Keys", []string{`{{ keys <1:.map> }}`}, ""},
	{"coll.Values", []string{`{{ values <1:.map> }}`}, ""},
	{"coll.Sort sort", []string{`{{ <1:.list> | sortAlpha }}`}, ""},
	{"coll. flatten jsonpath jq", []string{`{{ index .map "key" }}`}, "lists and maps have first, last, rest, uniq, reverse, pick, omit, merge, keys and values"},
	{"crypto.SHA256", []string{`{{ <1:.text> | sha256sum }}`}, ""},
	{"crypto.SHA512", []string{`{{ <1:.text> | sha512sum }}`}, ""},
	{"crypto.SHA1", []string{`{{ <1:.text> | sha1sum }}`}, ""},
	{"crypto.", nil, noSecrecy},
	{"env.Getenv env.Env", envHere, noDefault},
	{"env.", envHere, ""},
	{"file.Read", fileHere, ""},
	{"file. filepath.", fileHere, "paths have base, dir, ext, clean and isAbs"},
	{"math.Add", []string{`{{ add 1 .count }}`, `{{ add <1:1> <2:.count> }}`}, ""},
	{"math.Sub", []string{`{{ sub .count 1 }}`, `{{ sub <1:.count> <2:1> }}`}, ""},
	{"math.Mul", []string{`{{ mul 2 .count }}`, `{{ mul <1:2> <2:.count> }}`}, ""},
	{"math.Div", []string{`{{ div .count 2 }}`, `{{ div <1:.count> <2:2> }}`}, ""},
	{"math.Rem", []string{`{{ mod .count 2 }}`, `{{ mod <1:.count> <2:2> }}`}, ""},
	{"math.Seq", []string{`{{ range until <1:3> }}{{ . }}{{ end }}`, `{{ range untilStep <1:1> <2:4> 1 }}{{ . }}{{ end }}`}, "until and untilStep leave the last number out"},
	{"math.", []string{`{{ add 1 .count }}`}, "and sub, mul, div, mod, min, max, ceil, floor and round"},
	{"net.", nil, noNetwork},
	{"path.Base", []string{`{{ <1:.path> | base }}`}, ""},
	{"path.", []string{`{{ <1:.path> | dir }}`}, "and base, ext, clean and isAbs"},
	{"random. time. uuid.", nil, eachTime},
	{"regexp.Find", []string{`{{ regexFind "[a-z]+" .text }}`, `{{ regexFind <1:"[a-z]+"> <2:.text> }}`}, ""},
	{"regexp.Match", []string{`{{ regexMatch "[a-z]+" .text }}`, `{{ regexMatch <1:"[a-z]+"> <2:.text> }}`}, ""},
	{"regexp.Replace", []string{`{{ regexReplaceAll "[a-z]+" .text "b" }}`, `{{ regexReplaceAll <1:"[a-z]+"> .text <2:"b"> }}`, `{{ regexReplaceAll <1:"[a-z]+"> <3:.text> <2:"b"> }}`}, "the text stands in the middle"},
	{"regexp.", []string{`{{ regexMatch "[a-z]+" .text }}`}, "and regexFind, regexFindAll, regexReplaceAll, regexSplit and regexQuoteMeta"},
	{"semver.", []string{`{{ semverCompare ">=1.2" .version }}`}, ""},
	{"sockaddr.", []string{`{{ imds "local-ipv4" }}`}, ""},
	{"strings.ToUpper", upperHere, ""},
	{"strings.ToLower", lowerHere, ""},
	{"strings.Title", titleHere, ""},
	{"strings.TrimSpace", trimHere, ""},
	{"strings.Trim", []string{`{{ trimAll "/" .text }}`, `{{ trimAll <1:"/"> <2:.text> }}`}, ""},
	{"strings.TrimPrefix", []string{`{{ trimPrefix "a" .text }}`, `{{ trimPrefix <1:"a"> <2:.text> }}`}, ""},
	{"strings.TrimSuffix", []string{`{{ trimSuffix "a" .text }}`, `{{ trimSuffix <1:"a"> <2:.text> }}`}, ""},
	{"strings.Contains", []string{`{{ contains "a" .text }}`, `{{ contains <1:"a"> <2:.text> }}`}, ""},
	{"strings.HasPrefix", []string{`{{ hasPrefix "a" .text }}`, `{{ hasPrefix <1:"a"> <2:.text> }}`}, ""},
	{"strings.HasSuffix", []string{`{{ hasSuffix "a" .text }}`, `{{ hasSuffix <1:"a"> <2:.text> }}`}, ""},
	{"strings.Split strings.SplitN splitN", []string{`{{ splitList "," .text }}`, `{{ splitList <1:","> <2:.text> }}`, `{{ splitList <1:","> <3:.text> }}`}, ""},
	{"strings.Replace strings.ReplaceAll", []string{`{{ .text | replace "a" "b" }}`, `{{ .text | replace <1:"a"> <2:"b"> }}`, `{{ <3:.text> | replace <1:"a"> <2:"b"> }}`}, ""},
	{"strings.Quote", []string{`{{ <1:.text> | quote }}`}, "envQuote, yamlQuote, tomlQuote, xmlQuote and toJson quote for where a text stands"},
	{"strings.Squote", []string{`{{ <1:.text> | squote }}`}, ""},
	{"strings.ShellQuote", []string{`{{ <1:.text> | shellQuote }}`}, ""},
	{"strings.Repeat", []string{`{{ repeat 3 .text }}`, `{{ repeat <1:3> <2:.text> }}`}, ""},
	{"strings.Indent", []string{`{{ .text | indent 2 }}`, `{{ <2:.text> | indent <1:2> }}`}, ""},
	{"strings.Sort", []string{`{{ <1:.list> | sortAlpha }}`}, ""},
	{"strings.Trunc", []string{`{{ trunc 8 .text }}`, `{{ trunc <1:8> <2:.text> }}`}, ""},
	{"strings.", upperHere, "and lower, title, trim, replace, contains, hasPrefix, hasSuffix, splitList, indent, repeat and trunc"},
	{"test. assert", nil, noErrors + "; {{ required \"why\" .text }} refuses what is empty"},
	{"isKind", []string{`{{ kindIs "map" .value }}`, `{{ kindIs <1:"map"> <2:.value> }}`}, ""},
	{"kind", []string{`{{ kindOf <1:.value> }}`}, ""},
	{"tmpl. ", nil, "{{ template \"_part.tmpl\" . }} calls a file beside the template whose name begins with _"},
}

// fieldsAbroad are fields of what other programs hand to a template.
var fieldsAbroad = map[string]foreignEntry{
	"Values":       {"Helm", []string{`{{ <1:.name> }}`}, "values that are no secrets stand under vars: of the config"},
	"Release":      {"Helm", []string{`{{ .name }}`}, "there is no release; what differs between installations belongs in vars:"},
	"Chart":        {"Helm", []string{`{{ .name }}`}, "there is no chart; what is known beforehand belongs in vars:"},
	"Capabilities": {"Helm", nil, "there is no Kubernetes; what is known beforehand belongs in vars:"},
	"Files":        {"Helm", fileHere, ""},
	"Env":          {"gomplate", []string{`{{ env <1:"NAME"> }}`}, noDefault},
	"Data":         {"Vault", secretHere, "what stands there is one value of the secret's JSON"},
}

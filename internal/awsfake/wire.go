package awsfake

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"hash/crc32"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// A service is one of AWS's, with its way of speaking.
type service struct {
	name    string // in a credential scope and in IAM actions
	target  string // before the dot of X-Amz-Target; "" for the query protocol
	version string // of AWS JSON
	// message is the member of an error that holds its text: the services do not agree on the case.
	message  string
	internal string // the code of its own failures
	// types is for a service that once spoke the query protocol: what AWS JSON calls each of its
	// codes.
	types map[string]string
	// spaces are the namespaces of codes, of a service that sends them.
	spaces     map[string]string
	throttle   string // its code for a client that asks too often; "": ThrottlingException
	checksum   bool   // it sends the CRC-32 of each answer, and the time
	operations map[string]func() operation
}

// A refusal is what AWS answers in place of a result.
type refusal struct {
	code    string
	message string
	status  int
	members map[string]any // more of them; nil: none
}

// Error gives the code and the text.
func (r *refusal) Error() string { return r.code + ": " + r.message }

// refuse makes the refusal most errors of AWS are: the client's fault, HTTP 400.
func refuse(code, format string, args ...any) *refusal {
	return &refusal{code: code, message: fmt.Sprintf(format, args...), status: http.StatusBadRequest}
}

// invalid is the refusal of an input that breaks a constraint of the API's model.
func invalid(format string, args ...any) *refusal {
	return refuse("ValidationException", "1 validation error detected: "+format, args...)
}

// unimplemented is the refusal of what AWS can do and the fake cannot, so that no test takes
// silence for an answer.
func unimplemented(what string) *refusal {
	return &refusal{code: "NotImplemented", message: "awsfake does not answer " + what, status: http.StatusNotImplemented}
}

// errAnswered says that the answer, or the lack of one, has already been seen to.
var errAnswered = errors.New("answered")

// query tells whether the service speaks STS's protocol rather than AWS JSON.
func (svc *service) query() bool { return svc.target == "" }

// oldCodes tells whether its errors have the codes and statuses of the query protocol.
func (svc *service) oldCodes() bool { return svc.query() || svc.types != nil }

func (svc *service) unknown(operation string) *refusal {
	if svc.query() {
		return refuse("InvalidAction", "Could not find operation %s for version 2011-06-15", operation)
	}
	if svc.oldCodes() {
		return refuse("InvalidAction", "The action or operation requested is not valid. Verify that the action is typed correctly.")
	}
	return refuse("UnknownOperationException", "")
}

// decode reads the body of a request into its operation.
func (svc *service) decode(body []byte, in operation) *refusal {
	if svc.query() {
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return refuse("MalformedQueryString", "The query string is malformed")
		}
		in.(interface{ read(url.Values) }).read(form)
		return nil
	}
	if len(body) == 0 {
		body = []byte("{}")
	}
	if json.Unmarshal(body, in) != nil { // its text quotes the input
		if svc.oldCodes() {
			return refuse("MalformedInput", "")
		}
		return refuse("SerializationException", "")
	}
	return nil
}

// answer writes a result.
func (svc *service) answer(w http.ResponseWriter, operation string, result any) {
	if svc.query() {
		writeXML(w, http.StatusOK, &response{
			XMLName:  xml.Name{Space: tokenSpace, Local: operation + "Response"},
			Result:   wrapped{XMLName: xml.Name{Local: operation + "Result"}, Content: result},
			Metadata: metadata{RequestID: requestID(w)},
		})
		return
	}
	svc.writeJSON(w, http.StatusOK, result)
}

// refuse writes an error.
func (svc *service) refuse(w http.ResponseWriter, r *refusal) {
	if svc.query() {
		side := "Sender"
		if r.status >= 500 {
			side = "Receiver"
		}
		writeXML(w, r.status, &errorResponse{
			XMLName:   xml.Name{Space: tokenSpace, Local: "ErrorResponse"},
			Error:     errorDetail{Type: side, Code: r.code, Message: r.message},
			RequestID: requestID(w),
		})
		return
	}
	members := map[string]any{"__type": svc.spaces[r.code] + r.code}
	maps.Copy(members, r.members)
	if svc.types != nil {
		side := "Sender"
		if r.status >= 500 {
			side = "Receiver"
		}
		w.Header().Set("X-Amzn-Query-Error", r.code+";"+side)
		if name := svc.types[r.code]; name != "" {
			members["__type"] = name
		}
	}
	if r.message != "" {
		members[svc.message] = r.message
	}
	svc.writeJSON(w, r.status, members)
}

// unroutable answers a request that names no service, as AWS's front end does.
func (r *refusal) unroutable(w http.ResponseWriter) {
	requestID(w)
	w.WriteHeader(r.status)
	fmt.Fprintf(w, "<%s/>\n", r.code)
}

func (svc *service) writeJSON(w http.ResponseWriter, status int, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // an answer of ours that cannot be written is a mistake of ours
	}
	requestID(w)
	w.Header().Set("Content-Type", "application/x-amz-json-"+svc.version)
	if _, spoilt := w.Header()[checksumHeader]; svc.checksum && !spoilt {
		w.Header().Set(checksumHeader, strconv.FormatUint(uint64(crc32.ChecksumIEEE(text)), 10))
		w.Header().Set("Date", time.Now().UTC().Format(http.TimeFormat))
	}
	w.WriteHeader(status)
	_, _ = w.Write(text)
}

// checksumHeader has the CRC-32 of a body, in decimal.
const checksumHeader = "X-Amz-Crc32"

const tokenSpace = "https://sts.amazonaws.com/doc/2011-06-15/"

type response struct {
	XMLName  xml.Name
	Result   wrapped
	Metadata metadata `xml:"ResponseMetadata"`
}

type wrapped struct {
	XMLName xml.Name
	Content any
}

type metadata struct {
	RequestID string `xml:"RequestId"`
}

type errorResponse struct {
	XMLName   xml.Name
	Error     errorDetail
	RequestID string `xml:"RequestId"`
}

type errorDetail struct{ Type, Code, Message string }

// MarshalXML writes the members of the content side by side inside the wrapper.
func (r wrapped) MarshalXML(e *xml.Encoder, start xml.StartElement) error {
	start.Name = r.XMLName
	return e.EncodeElement(r.Content, start)
}

func writeXML(w http.ResponseWriter, status int, v any) {
	text, err := xml.Marshal(v)
	if err != nil {
		panic(err)
	}
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(status)
	_, _ = w.Write(text)
}

// requestID gives the answer its id, the same one at each call.
func requestID(w http.ResponseWriter) string {
	const header = "X-Amzn-Requestid"
	if w.Header().Get(header) == "" {
		w.Header().Set(header, uuid("request", strconv.FormatInt(time.Now().UnixNano(), 36)))
	}
	return w.Header().Get(header)
}

// A timestamp is written as AWS JSON does: seconds since 1970 with milliseconds.
type timestamp time.Time

// MarshalJSON gives 1523477145.713.
func (t timestamp) MarshalJSON() ([]byte, error) {
	ms := time.Time(t).UnixMilli()
	return fmt.Appendf(nil, "%d.%03d", ms/1000, ms%1000), nil
}

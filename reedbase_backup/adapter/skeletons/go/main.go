// An adapter: it answers pytest-reedbackup on stdin and stdout. The functions are in backup.go.
package main

import (
	"bufio"
	"encoding/json"
	"os"
	"time"
)

type object = map[string]any

var about = object{
	"protocol": 1, "name": "my-backup", "version": "0.1.0", "language": "Go",
	"contracts": []string{"ticket"}, "capabilities": []string{},
}

type request struct {
	ID     uint64 `json:"id"`
	Method string `json:"method"`
	Params struct {
		BasePath        string `json:"base_path"`
		TargetTimestamp uint64 `json:"target_timestamp"`
	} `json:"params"`
}

func called(function func() (any, *Refused)) object {
	started := time.Now()
	value, refused := function()
	taken := time.Since(started).Nanoseconds()
	if refused != nil {
		data := object{"kind": refused.Kind, "fields": refused.Fields, "elapsed_ns": taken}
		return object{"error": object{"code": -32000, "message": refused.Message, "data": data}}
	}
	return object{"result": object{"value": value, "elapsed_ns": taken}}
}

func answered(r request) object {
	switch r.Method {
	case "hello":
		return object{"result": about}
	case "shutdown":
		return object{"result": object{"value": nil}}
	case "create_backup":
		return called(func() (any, *Refused) { return CreateBackup(r.Params.BasePath) })
	case "list_backups":
		return called(func() (any, *Refused) { return ListBackups(r.Params.BasePath) })
	case "restore_point_in_time":
		return called(func() (any, *Refused) {
			return RestorePointInTime(r.Params.BasePath, r.Params.TargetTimestamp)
		})
	}
	return object{"error": object{"code": -32601, "message": "no method " + r.Method}}
}

func main() {
	lines := bufio.NewReader(os.Stdin)
	replies := json.NewEncoder(os.Stdout)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return // it ends when stdin closes
		}
		var r request
		if json.Unmarshal(line, &r) != nil {
			os.Exit(1)
		}
		reply := answered(r)
		reply["jsonrpc"], reply["id"] = "2.0", r.ID
		if replies.Encode(reply) != nil || r.Method == "shutdown" {
			return
		}
	}
}

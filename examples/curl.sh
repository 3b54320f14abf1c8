#!/usr/bin/env bash
# The life of an assistant with curl: create, use, stream, change, list, delete.
#
#   ELUMENTA_API_KEY=nb_… examples/curl.sh
#
# ELUMENTA_URL names another server than http://127.0.0.1:8080, ELUMENTA_MODEL another model than the built-in sandbox.
set -euo pipefail

api="${ELUMENTA_URL:-http://127.0.0.1:8080}/api/v2"
model="${ELUMENTA_MODEL:-sandbox}"
: "${ELUMENTA_API_KEY:?set it to your API key}"

call() { # call METHOD PATH [BODY]: prints the answer, and fails if it is an error
	curl -sS --fail-with-body -X "$1" "$api$2" -H "Authorization: Bearer $ELUMENTA_API_KEY" \
		${3:+-H 'Content-Type: application/json' -d "$3"}
}

echo "== Create an assistant"
created=$(call POST /assistants '{
	"name": "Customer Support Bot",
	"model": "'"$model"'",
	"instructions": "You answer for the support desk of a shop. Be short and friendly.",
	"description": "Handles customer support queries"
}') || { echo "$created" >&2; exit 1; }
id=$(sed -nE 's/.*"id": ?"(asst_[0-9a-z]+)".*/\1/p' <<<"$created")
echo "$id"

echo "== Use it: from now on only its id is sent"
call POST /generate '{"assistant_id": "'"$id"'", "prompt": "Where is my parcel?"}'

echo; echo "== The same as a stream"
call POST /generate '{"assistant_id": "'"$id"'", "prompt": "And when will it come?", "stream": true}'

echo "== Change one field; the others stay"
call PUT "/assistants/$id" '{"description": "Handles parcels"}'

echo; echo "== List your assistants"
call GET '/assistants?limit=10'

echo; echo "== What others have published"
call GET '/assistants/marketplace?category=productivity&limit=10'

echo; echo "== Delete it"
call DELETE "/assistants/$id"
echo "deleted $id"

/** Who is asking: a key pair of the server's file, or the link that `memoir ui` opens. */
import type { VNode } from "preact";
import { useState } from "preact/hooks";
import { apiPath, ask, type Problem, problemOf } from "../client.ts";
import type { Place } from "../location.ts";
import { Command, ProblemNote } from "../parts/small.tsx";
import type { Session } from "../session.ts";

export function SignIn(props: {
  readonly session: Session;
  readonly place: Place;
  onSignedIn(): void;
}): VNode {
  const [problem, setProblem] = useState<Problem | undefined>(undefined);
  const [isAsking, setIsAsking] = useState(false);
  if (props.session.authentication === "none")
    return (
      <>
        <h1>Open this page with its link</h1>
        <section class="panel">
          <p>
            {props.place.query.get("signin") === "token"
              ? "This link was used already, or is too old."
              : "This server belongs to one person on this machine, and this browser has not shown that it is theirs."}
          </p>
          <p>Type this command, which opens the page:</p>
          <Command text="memoir ui" />
        </section>
      </>
    );
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget as HTMLFormElement);
    setIsAsking(true);
    setProblem(undefined);
    try {
      const body = { accessKeyId: fields.get("id"), secretAccessKey: fields.get("secret") };
      await ask(apiPath(["session"]), { method: "POST", body });
      props.onSignedIn();
    } catch (error) {
      setProblem(problemOf(error));
    } finally {
      setIsAsking(false);
    }
  };
  return (
    <>
      <h1>Sign in</h1>
      <section class="panel">
        <p>Use an access key of this server. You see what the API calls of its account see.</p>
        <form class="form" onSubmit={(event) => void submit(event)}>
          <label>
            Access key ID
            <input name="id" autocomplete="username" required spellcheck={false} />
          </label>
          <label>
            Secret access key
            <input name="secret" type="password" autocomplete="current-password" required />
          </label>
          {problem === undefined ? null : <ProblemNote problem={problem} />}
          <div>
            <button type="submit" class="primary" disabled={isAsking}>
              Sign in
            </button>
          </div>
        </form>
      </section>
    </>
  );
}

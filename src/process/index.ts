/** process: running programs so that none outlives its purpose. */
export { type Conversation, type ConversationRequest, startConversation } from "./conversation.ts";
export { findProgram } from "./find-program.ts";
export {
  createGroupStarter,
  type GroupEnd,
  type GroupStarter,
  type Guard,
} from "./group-starter.ts";
export { mountLine } from "./keeper.ts";
export { isOwner, isRunning, lifeOf, type Owner, thisOwner } from "./owner.ts";
export { type OwnerLock, takeOwnerLock } from "./owner-lock.ts";
export {
  describeOutcome,
  type ProgramInput,
  type ProgramOutcome,
  type ProgramOutput,
  type ProgramRequest,
} from "./program.ts";
export { runProgram } from "./run-program.ts";
export { runnerLives } from "./supervisor.ts";
export { readTail } from "./tail.ts";

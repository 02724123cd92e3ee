import { mount } from "../../ui/mount";
import { begin } from "../talk/begin";
import "../talk/talk.css";
import "../talk/key.css";
import "../talk/groups.css";
import "../talk/covers.css";
import "./leader.css";
import "./plans.css";
import "./sent.css";
import { LeaderPage } from "./LeaderPage";

const LEADER_SLOTS = 4;
const phone = await begin(LEADER_SLOTS);
if (phone) mount(() => <LeaderPage phone={phone} />, "leader");

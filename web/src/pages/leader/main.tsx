import { mount } from "../../ui/mount";
import { begin } from "../talk/begin";
import "../talk/talk.css";
import "./leader.css";
import { LeaderPage } from "./LeaderPage";

const LEADER_SLOTS = 4;
const phone = await begin(LEADER_SLOTS);
if (phone) mount(() => <LeaderPage phone={phone} />);
